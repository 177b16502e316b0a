//! A service's loop under watch: asks a few questions and shows what the process's memory did meanwhile.
//!
//! `GEMINI_API_KEY=… cargo run --release -p plimsoll-providers --features monitor --example memory_monitor`; with `GEMINI_BASE_URL` it
//! asks elsewhere, a mock for instance.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_providers::gemini_ultra_optimized::{UltraOptimizedGeminiConfig, UltraOptimizedGeminiProvider};
use plimsoll_providers::monitor::MemoryMonitor;
use plimsoll_providers::{Chat, Options, Retry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = UltraOptimizedGeminiConfig {
        api_key: env::var("GEMINI_API_KEY").map_err(|_| "set GEMINI_API_KEY")?,
        base_url: env::var("GEMINI_BASE_URL").ok(),
        default_model: "gemini-2.5-flash".to_owned(),
        api_version: "v1beta".to_owned(),
        timeout_ms: 60_000,
    };
    let options = Options { retry: Retry::modest(), ..Options::default() };
    let provider = Arc::new(UltraOptimizedGeminiProvider::with_options(config, options).await?);

    let mut chat = Chat::new(&*provider).with_system("Answer in one sentence.");
    println!("{}", chat.send("What is a Plimsoll line?").await?.text());

    // From here on the process is as large as it should be: what it grows by now is worth a look.
    let monitor = MemoryMonitor::new(8 << 20)?
        .on_growth(|memory| eprintln!("warning: memory grew by {} KiB", memory.growth() / 1024));
    let work = async {
        for question in ["Who was it named after?", "When was it made law?", "Is it still?"] {
            println!("{}", chat.send(question).await?.text());
        }
        Ok::<_, plimsoll_providers::Error>(())
    };
    tokio::select! {
        done = work => done?,
        watched = monitor.run(Duration::from_millis(200)) => match watched? {},
    }
    print!("{}", monitor.open_metrics()?);
    Ok(())
}

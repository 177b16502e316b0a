//! Everything that is logged in this process, at the most talkative level: by `tracing` and by `log`, ours and the libraries'.

use std::io;
use std::sync::{Mutex, OnceLock};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Listens from here on, to whatever is logged in this process.
pub(crate) fn listen() {
    static LISTENING: OnceLock<()> = OnceLock::new();
    LISTENING.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(|| Writer)
            .init();
        log::set_logger(&Log).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// All that was heard so far.
pub(crate) fn heard() -> String {
    String::from_utf8_lossy(&HEARD.lock().unwrap()).into_owned()
}

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Log;

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        use io::Write;
        let _ = writeln!(Writer, "log {} {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

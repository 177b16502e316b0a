//! Frames written by hand (RFC 9113), for what the `h2` crate has no call for.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::mock::plan::TakeOver;

const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const ENHANCE_YOUR_CALM: u32 = 0xb;

/// What a flood sends before it gives up, in bytes: a client that takes it all has shown what it does, and need not die of it.
const FLOOD: usize = 64 << 20;

/// Does `how` to a connection whose stream `id` waits for more, until the client leaves.
pub(super) async fn run<S>(how: TakeOver, id: u32, mut stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match how {
        TakeOver::Deaf => {}
        TakeOver::GoAway => {
            // The last stream that was served is 0, which is none.
            let payload = [0_u32.to_be_bytes(), ENHANCE_YOUR_CALM.to_be_bytes()].concat();
            stream.write_all(&frame(GOAWAY, 0, &payload)).await?;
            stream.flush().await?;
        }
        TakeOver::Continuations => {
            // `:status: 200` from the static table, in a block that does not end here.
            stream.write_all(&frame(HEADERS, id, &[0x88])).await?;
            // "x-more: and more", not indexed, as often as fits a frame.
            let field = b"\x00\x06x-more\x08and more";
            let more = frame(CONTINUATION, id, &field.repeat(16_000 / field.len()));
            for _ in 0..FLOOD / more.len() {
                stream.write_all(&more).await?;
            }
            stream.flush().await?;
        }
    }
    let mut heard = [0; 4096];
    while stream.read(&mut heard).await? > 0 {}
    Ok(())
}

/// A frame without flags.
fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut frame = Vec::with_capacity(9 + payload.len());
    frame.extend_from_slice(&length[1..]);
    frame.extend_from_slice(&[kind, 0]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

//! What `plimsoll mock --help` says about scripts.

/// Replies, modifiers and examples, for the end of `plimsoll mock --help`.
pub const SCRIPTS: &str = "\
Scripts
  A client asks for a reply by its base URL: https://localhost:PORT/s/SCRIPT,
  e.g. …/s/stream+pace=5ms.
  A script is REPLY[+MODIFIER]…; without /s/ the one of --script holds.

Replies (both of generateContent and of streamGenerateContent)
  chat            2 KB of JSON; as a stream 4 events
  large           64 KB of JSON; as a stream 32 events
  stream          12 events          stream-50    50 events
  function-call   a functionCall     thinking     thoughts, text, a thoughtSignature
  empty           200, a candidate without parts, finishReason STOP
  no-candidates   200, usageMetadata only
  blocked         200, promptFeedback only
  everything      every field that is known, and some that nobody knows yet

Replies of whatever endpoint is asked
  tokens embedding embeddings model models cached-content cached-contents
  file files uploaded-file batch
  error-CODE      400 400-key 403 404 404-html 429 429-daily 500 503 504
  traffic~FOLDER~FILE   a recorded body of --traffic, byte for byte

Modifiers
  status=CODE            that error in place of the reply: status=503
  hold=before-head       wait for `release` on the control socket before the head
  hold=after-first-event … after head and first event (of plain JSON: half the body)
  cut=50% | cut=1200     reset the connection after that much of the body;
                         cut=50%-fin ends it with a FIN
  wrong-text             other words of the same length: only a checked answer
                         shows it
  malformed              the last closing brace is missing
  silence                no answer at all
  delay=1s               time before the head
  pace=5ms               time before each further step (us, ms, s)
  split=7                pieces of 7 bytes, each in a TLS record of its own
  gzip | gzip=force      compress JSON if offered | always; streams never
  framing=length|chunked HTTP/1.1's end of body (JSON is chunked, errors on
                         alt=sse have a length, as observed)
  close                  Connection: close
  lockstep=drained|off   do not wait until the client has read all and sleeps
                         again | not even until it has read all

Faults, which are modifiers too
  error-event=bare|data  half of the events, then an error under HTTP 200,
                         bare | behind `data:`
  early-finish           the first event has the finishReason, the last has none
  no-finish              no event has one
  pad=4MiB               the first text is longer by so much: one event of
                         megabytes, a body over a limit
  bomb=64MiB             gzip, asked for or not, of the body and so much white
                         space
  redirect=307           to the same path on another host: localhost becomes
                         127.0.0.1, which is this mock again and counts keys
  reset=before|behind    reset the connection before the head | behind the
                         whole answer
  informational          100 Continue and 103 Early Hints first (HTTP/2: 103)

Faults of HTTP/1.1, which are 400 over HTTP/2
  chunk-extensions       behind each chunk's size
  trailers               behind the last chunk
  bad-chunk              words in place of the second chunk's size
  reuse=closed|dropped   end the connection unsaid, behind the answer | when the
                         next request came on it

Faults of HTTP/2, which are 400 over HTTP/1.1
  goaway                 behind the first event, as if no stream had been served
  goaway=graceful        behind the first event; what is under way is finished
  refused                RST_STREAM(REFUSED_STREAM) in place of an answer
  rst                    RST_STREAM(INTERNAL_ERROR) behind the first event
  stream-limit=1         lower SETTINGS_MAX_CONCURRENT_STREAMS, then answer
  zero-window            SETTINGS_INITIAL_WINDOW_SIZE = 0, then answer: the next
                         request on the connection cannot send its body
  continuations          a head whose CONTINUATION frames do not end, up to
                         64 MiB
  no-ping                read on, but answer nothing, PING included

The API besides generating: countTokens, embedContent, batchEmbedContents, models, cachedContents and files (resumable upload). \
They answer by what was asked and uploaded before, whatever REPLY says, but for errors and recordings. A file is PROCESSING when it is \
first looked at, ACTIVE from then on. `reset` on the control socket forgets everything.

A request without a key gets 403, as from the service; a path that the service does not have its HTML 404; a bad script 400.
";

#[cfg(test)]
mod tests {
    use super::SCRIPTS;
    use crate::corpus;
    use crate::mock::script::Script;

    const FAULTS: [&str; 19] = [
        "error-event=bare",
        "early-finish",
        "no-finish",
        "pad=1MiB",
        "bomb=1MiB",
        "redirect=307",
        "reset=before",
        "informational",
        "chunk-extensions",
        "trailers",
        "bad-chunk",
        "reuse=closed",
        "goaway",
        "refused",
        "rst",
        "stream-limit=1",
        "zero-window",
        "continuations",
        "no-ping",
    ];

    #[test]
    fn every_reply_of_the_corpus_is_told() {
        for name in corpus::names() {
            let told = SCRIPTS.split_whitespace().any(|word| word == name.trim_start_matches("error-"));
            assert!(told, "--help does not say `{name}`");
        }
    }

    /// Every line of the two tables begins with words that are modifiers, once their variants are told apart.
    #[test]
    fn every_word_that_is_told_is_one() {
        let tables = SCRIPTS.split("\nModifiers\n").nth(1).unwrap().split("\nThe API").next().unwrap();
        let mut told = 0;
        // What stands further in goes on with the line above.
        for line in tables.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
            let word = line.split_whitespace().next().unwrap();
            let (name, values) = word.split_once('=').unwrap_or((word, ""));
            for value in values.split('|').filter(|value| *value != "CODE") {
                let word = if value.is_empty() { name.to_owned() } else { format!("{name}={value}") };
                assert!(format!("chat+{word}").parse::<Script>().is_ok(), "--help tells of `{word}`");
                told += 1;
            }
        }
        assert!(told >= 35, "{told}");
    }

    #[test]
    fn every_fault_is_told() {
        for word in FAULTS {
            let fault: Script = format!("chat+{word}").parse().unwrap();
            assert_eq!(fault.faults().count(), 1, "{word}");
            let name = word.split('=').next().unwrap();
            let told = SCRIPTS.lines().any(|line| {
                let first = line.trim_start().split([' ', '=']).next();
                line.starts_with("  ") && first == Some(name)
            });
            assert!(told, "--help does not say `{name}`");
        }
    }
}

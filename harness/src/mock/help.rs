//! What `plimsoll mock --help` says about scripts.

/// Replies, modifiers and examples, for the end of `plimsoll mock --help`.
pub const SCRIPTS: &str = "\
Scripts
  A client asks for a reply by its base URL: https://localhost:PORT/s/SCRIPT, e.g. …/s/stream+pace=5ms.
  A script is REPLY[+MODIFIER]…; without /s/ the one of --script holds.

Replies (both of generateContent and of streamGenerateContent)
  chat            2 KB of JSON; as a stream 4 events
  large           64 KB of JSON; as a stream 32 events
  stream          12 events          stream-50    50 events
  function-call   a functionCall     thinking     thoughts, text, a thoughtSignature
  empty           200, a candidate without parts, finishReason STOP
  no-candidates   200, usageMetadata only
  blocked         200, promptFeedback only
  error-CODE      400 400-key 403 404 404-html 429 429-daily 500 503 504
  traffic~FOLDER~FILE   a recorded body of --traffic, byte for byte

Modifiers
  status=CODE            that error in place of the reply: status=503
  hold=before-head       wait for `release` on the control socket before the head
  hold=after-first-event … after head and first event (of plain JSON: half the body)
  cut=50% | cut=1200     reset the connection after that much of the body; cut=50%-fin ends it with a FIN
  wrong-text             other words of the same length: only a checked answer shows it
  malformed              the last closing brace is missing
  silence                no answer at all
  delay=1s               time before the head
  pace=5ms               time before each further step (us, ms, s)
  split=7                pieces of 7 bytes, each in a TLS record of its own
  gzip | gzip=force      compress JSON if offered | always; streams never
  framing=length|chunked HTTP/1.1's end of body (JSON is chunked, errors on alt=sse have a length, as observed)
  close                  Connection: close
  lockstep=drained|off   do not wait until the client has read all and sleeps again | not even until it has read all

A request without a key gets 403, as from the service; a path that the service does not have its HTML 404; a bad script 400.
";

#[cfg(test)]
mod tests {
    use super::SCRIPTS;
    use crate::corpus;

    #[test]
    fn every_reply_of_the_corpus_is_told() {
        for name in corpus::names() {
            let told = SCRIPTS.split_whitespace().any(|word| word == name.trim_start_matches("error-"));
            assert!(told, "--help does not say `{name}`");
        }
    }
}

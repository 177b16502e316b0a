use crate::mock::plan::{Step, Write};
use crate::mock::script::Ending;

/// Keeps the steps that carry the first `bytes` bytes of the body and ends the connection there.
pub(in crate::mock) fn cut(steps: Vec<Step>, bytes: usize, ending: Ending) -> Vec<Step> {
    let mut left = bytes;
    let mut kept = Vec::with_capacity(steps.len() + 1);
    for step in steps {
        match step {
            Step::Write(write) if write.data.len() <= left && !write.end => {
                left -= write.data.len();
                kept.push(Step::Write(write));
            }
            Step::Write(write) => {
                let data = write.data.slice(..left.min(write.data.len()));
                // The head goes out even when nothing of the body does: silence before it is another fault.
                if write.head || !data.is_empty() {
                    kept.push(Step::Write(Write { head: write.head, data, end: false }));
                }
                break;
            }
            other => kept.push(other),
        }
    }
    kept.push(Step::Abort(ending));
    kept
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn write(head: bool, data: &'static [u8], end: bool) -> Step {
        Step::Write(Write { head, data: Bytes::from_static(data), end })
    }

    fn stream() -> Vec<Step> {
        vec![write(true, b"", false), write(false, b"one", false), write(false, b"two", false), write(false, b"", true)]
    }

    #[test]
    fn the_body_ends_inside_an_event() {
        let end = Step::Abort(Ending::Reset);
        assert_eq!(
            cut(stream(), 4, Ending::Reset),
            [write(true, b"", false), write(false, b"one", false), write(false, b"t", false), end]
        );
    }

    #[test]
    fn nothing_of_the_body_is_the_head_alone() {
        assert_eq!(cut(stream(), 0, Ending::Fin), [write(true, b"", false), Step::Abort(Ending::Fin)]);
        let small = vec![write(true, b"{}", true)];
        assert_eq!(cut(small, 0, Ending::Fin), [write(true, b"", false), Step::Abort(Ending::Fin)]);
    }

    #[test]
    fn an_answer_in_one_record_is_cut_in_it() {
        let small = vec![write(true, b"{\"a\":1}", true)];
        assert_eq!(cut(small, 3, Ending::Reset), [write(true, b"{\"a", false), Step::Abort(Ending::Reset)]);
    }
}

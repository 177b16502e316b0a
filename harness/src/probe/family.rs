//! The processes that a subject has started and that live, and theirs.

use procfs::process::Process;

/// Every living descendant of a process, in the order of their ids. One that comes or goes meanwhile may or may not be among them: a subject
/// that stands still starts none.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut next = children(pid);
    while let Some(child) = next.pop() {
        if !found.contains(&child) {
            found.push(child);
            next.extend(children(child));
        }
    }
    found.sort_unstable();
    found
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = Process::new(pid.cast_signed()).and_then(|process| process.tasks());
    // A process that is gone has none. Children are listed by the thread that started them.
    let lists = tasks.into_iter().flatten().filter_map(Result::ok).filter_map(|task| task.children().ok());
    lists.flatten().filter(|child| lives(*child)).collect()
}

/// Whether it has not ended: one that nobody has waited for yet has a number, and no memory.
fn lives(pid: u32) -> bool {
    let stat = Process::new(pid.cast_signed()).and_then(|process| process.stat());
    stat.is_ok_and(|stat| !matches!(stat.state, 'Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_and_their_children_are_found_and_the_dead_are_not() {
        // A child that lives, one that has ended and was not waited for, and a grandchild. It says when all of them are there.
        let script = "sleep 60 & sh -c 'sleep 60 & echo ready; wait' & wait";
        let mut child = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().expect("sh starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says when it is ready");
        let found = descendants(child.id());
        assert_eq!(found.len(), 3, "{found:?}");
        for process in found {
            assert!(Command::new("kill").args(["-KILL", &process.to_string()]).status().expect("kill").success());
        }
        assert!(child.wait().is_ok());
        assert!(descendants(child.id()).is_empty());
        let mut ended = Command::new("true").spawn().expect("true starts");
        while lives(ended.id()) {
            std::thread::yield_now();
        }
        assert!(!descendants(std::process::id()).contains(&ended.id()));
        ended.wait().expect("reaped");
    }
}

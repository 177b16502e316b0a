//! The control socket: counters, ownership, and no key anywhere.

mod mock_support;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use mock_support::{KEY, Mock, h1, h2};
use plimsoll::mock::control::{Control, ControlError, key_digest};

#[tokio::test]
async fn counters_tell_what_happened_and_reset_to_nothing() {
    let mut mock = Mock::start();
    for (client, script) in [(h1(), "chat"), (h2(), "chat+pace=1ms"), (h1(), "chat")] {
        mock.post(&client, script, "generateContent").send().await.unwrap().bytes().await.unwrap();
    }
    let stats = mock.stats();
    assert_eq!(stats.by_script, [("chat".to_owned(), 2), ("chat+pace=1ms".to_owned(), 1)].into());
    assert_eq!((stats.requests, stats.answered, stats.connections_total), (3, 3, 3));
    assert_eq!((stats.protocols.h1, stats.protocols.h2), (2, 1));

    let stats = mock.control.reset().unwrap();
    assert_eq!((stats.requests, stats.answered, stats.connections_total, stats.keys.len()), (0, 0, 0, 0));
}

#[tokio::test]
async fn the_key_is_known_by_its_digest_and_nowhere_as_itself() {
    let mock = Mock::start();
    mock.post(&h1(), "chat", "generateContent").send().await.unwrap().bytes().await.unwrap();
    let mut stream = UnixStream::connect(mock.socket()).unwrap();
    stream.write_all(b"{\"do\":\"stats\"}\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.contains(&key_digest(KEY)));
    assert!(!line.contains(KEY));
}

#[test]
fn a_line_that_is_no_command_is_refused_and_the_next_one_obeyed() {
    let mock = Mock::start();
    let mut stream = UnixStream::connect(mock.socket()).unwrap();
    stream.write_all(b"stats\n{\"do\":\"stats\"}\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("{\"error\":"));
    assert!(lines.next().unwrap().unwrap().starts_with("{\"stats\":"));
}

#[test]
fn the_mock_ends_with_its_owner_and_its_socket_with_it() {
    let mut mock = Mock::start();
    let second = Control::connect(&mock.socket()).unwrap();
    drop(second);
    assert!(mock.child.wait().unwrap().success());
    assert!(matches!(Control::watch(&mock.socket()), Err(ControlError::Connect { .. })));
    assert!(!mock.socket().exists());
}

#[test]
fn an_onlooker_may_leave_and_stop_is_obeyed() {
    let mut mock = Mock::start();
    drop(Control::watch(&mock.socket()).unwrap());
    mock.stats();
    Control::watch(&mock.socket()).unwrap().stop().unwrap();
    assert!(mock.child.wait().unwrap().success());
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let mock = Mock::start();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["mock", "--port", &mock.port.to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("cannot listen on 127.0.0.1:{}", mock.port)), "{said}");
    assert!(!output.status.success());
}

#[tokio::test]
async fn what_is_served_can_change_under_one_base_url_until_a_reset() {
    let mut mock = Mock::start();
    let client = h1();
    let status = async |mock: &Mock| mock.post(&client, "chat", "generateContent").send().await.unwrap().status();
    assert_eq!(status(&mock).await, 200);
    mock.control.serve(Some("error-429")).unwrap();
    assert_eq!(status(&mock).await, 429);
    assert!(matches!(mock.control.serve(Some("chat+nonsense")), Err(ControlError::Refused { .. })));
    assert_eq!(status(&mock).await, 429);
    mock.control.reset().unwrap();
    assert_eq!(status(&mock).await, 200);
}

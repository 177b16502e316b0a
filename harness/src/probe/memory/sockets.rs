//! What the kernel keeps for a process's sockets: it is in no RSS. By NETLINK_SOCK_DIAG, which lists sockets with their memory
//! (`linux/inet_diag.h`, `linux/unix_diag.h`).

use std::collections::BTreeSet;
use std::io;

use nix::sys::socket::AddressFamily;
use procfs::process::{FDTarget, Process};

use crate::sock_diag::{
    self, HEADER, INET_INODE, INET_MESSAGE, IPPROTO_TCP, SOCK_DIAG_BY_FAMILY, SockDiag, attribute, u32_at,
};

const NLMSG_DONE: u16 = 3;
/// A request for all that there are: `NLM_F_REQUEST | NLM_F_DUMP`.
const REQUEST_ALL: u16 = 0x301;
/// Large enough for any answer of the kernel's.
const ANSWER: usize = 64 * 1024;

/// A kind of socket, and how its messages are laid out.
struct Family {
    family: AddressFamily,
    request: Vec<u8>,
    /// Where the inode stands in a message, and its length.
    inode: usize,
    length: usize,
    /// The attribute with the memory: an array of 32-bit numbers, `SK_MEMINFO_*`.
    memory: u16,
    /// Which of these are held.
    held: &'static [usize],
}

/// Received and not read, kept until it is acknowledged, set aside in advance, options, received and not yet looked at.
const HELD_BY_TCP: [usize; 5] = [0, 5, 4, 6, 7];
/// Received, sent and not read (which is the sender's until then), options.
const HELD_BY_UNIX: [usize; 3] = [0, 2, 6];

/// Bytes that the kernel holds for the sockets of a process; `None` where it does not say.
pub fn memory(pid: u32) -> Option<u64> {
    of(&inodes(pid))
}

fn of(inodes: &BTreeSet<u64>) -> Option<u64> {
    if inodes.is_empty() {
        return Some(0);
    }
    let kernel = SockDiag::open().ok()?;
    let sums = families().into_iter().map(|family| ask(&kernel, &family, inodes));
    sums.collect::<io::Result<Vec<u64>>>().ok().map(|sums| sums.iter().sum())
}

fn inodes(pid: u32) -> BTreeSet<u64> {
    let files = Process::new(pid.cast_signed()).and_then(|process| process.fd());
    let targets = files.into_iter().flatten().filter_map(Result::ok).map(|file| file.target);
    targets.filter_map(|target| if let FDTarget::Socket(inode) = target { Some(inode) } else { None }).collect()
}

fn families() -> [Family; 3] {
    let tcp = |family: AddressFamily| {
        const INET_DIAG_SKMEMINFO: u16 = 7;
        let mut request = vec![family as u8, IPPROTO_TCP, 1 << (INET_DIAG_SKMEMINFO - 1), 0];
        request.extend_from_slice(&u32::MAX.to_ne_bytes()); // in any state
        request.resize(56, 0);
        Family {
            family,
            request,
            inode: INET_INODE,
            length: INET_MESSAGE,
            memory: INET_DIAG_SKMEMINFO,
            held: &HELD_BY_TCP,
        }
    };
    let unix = || {
        const UDIAG_SHOW_MEMINFO: u32 = 0x20;
        const UNIX_DIAG_MEMINFO: u16 = 5;
        let mut request = vec![AddressFamily::Unix as u8, 0, 0, 0];
        request.extend_from_slice(&u32::MAX.to_ne_bytes());
        request.extend_from_slice(&[0; 4]);
        request.extend_from_slice(&UDIAG_SHOW_MEMINFO.to_ne_bytes());
        request.extend_from_slice(&[0; 8]);
        Family {
            family: AddressFamily::Unix,
            request,
            inode: 4,
            length: 16,
            memory: UNIX_DIAG_MEMINFO,
            held: &HELD_BY_UNIX,
        }
    };
    [tcp(AddressFamily::Inet), tcp(AddressFamily::Inet6), unix()]
}

/// The memory of all sockets of a family that are among `inodes`.
fn ask(kernel: &SockDiag, family: &Family, inodes: &BTreeSet<u64>) -> io::Result<u64> {
    // The families are asked for one after the other: their number tells the answers apart.
    let number = family.family as u32;
    kernel.ask(REQUEST_ALL, number, &family.request)?;
    let mut sum = 0;
    let mut buffer = vec![0; ANSWER];
    loop {
        let mut rest = kernel.hear(&mut buffer)?;
        while let Some(message) = next(&mut rest) {
            match sock_diag::kind(message) {
                _ if sock_diag::sequence(message) != Some(number) => {}
                Some(SOCK_DIAG_BY_FAMILY) => sum += held(message, family, inodes).unwrap_or_default(),
                Some(NLMSG_DONE) => return Ok(sum),
                _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "NETLINK_SOCK_DIAG refuses")),
            }
        }
    }
}

/// The next message of an answer; `None` at its end.
fn next<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32_at(rest, 0)? as usize;
    let message = rest.get(..length).filter(|_| length >= HEADER)?;
    *rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some(message)
}

fn held(message: &[u8], family: &Family, inodes: &BTreeSet<u64>) -> Option<u64> {
    let inode = u64::from(u32_at(message, HEADER + family.inode)?);
    if !inodes.contains(&inode) {
        return None;
    }
    let memory = attribute(message, HEADER + family.length, family.memory)?;
    Some(family.held.iter().filter_map(|at| u32_at(memory, at * 4)).map(u64::from).sum())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn inode(file: i32) -> u64 {
        let link = std::fs::read_link(format!("/proc/self/fd/{file}")).expect("open");
        let link = link.to_string_lossy().into_owned();
        link.trim_start_matches("socket:[").trim_end_matches(']').parse().expect("a socket")
    }

    #[test]
    fn what_was_sent_and_not_read_is_held_by_the_kernel() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let mut client = TcpStream::connect(listener.local_addr().expect("bound")).expect("connects");
        let (server, _) = listener.accept().expect("accepts");
        let (mut one, other) = UnixStream::pair().expect("a pair");
        let pair = |one, other| BTreeSet::from([inode(one), inode(other)]);
        // Apart, because what TCP keeps until it is acknowledged, and sets aside, comes and goes.
        let tcp = pair(client.as_raw_fd(), server.as_raw_fd());
        let unix = pair(one.as_raw_fd(), other.as_raw_fd());
        let before = [of(&tcp).expect("the kernel says"), of(&unix).expect("the kernel says")];
        client.write_all(&[1; 10_000]).expect("room for it");
        one.write_all(&[1; 10_000]).expect("room for it");
        for (own, before) in [&tcp, &unix].into_iter().zip(before) {
            let held = of(own).expect("the kernel says");
            assert!(held >= before + 10_000, "{before} {held}");
        }
        let own: BTreeSet<u64> = tcp.union(&unix).copied().collect();
        assert_eq!(own.len(), 4);
        assert!(own.iter().all(|inode| inodes(std::process::id()).contains(inode)));
    }
}

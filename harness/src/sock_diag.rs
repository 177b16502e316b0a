//! NETLINK_SOCK_DIAG: how the kernel is asked about sockets, and how its answers are laid out.
//!
//! The layouts are those of `linux/netlink.h` and `linux/sock_diag.h`, which the kernel keeps for ever.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::AddressFamily;
use nix::sys::socket::{MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

/// The kind of a question about sockets, and of an answer to it.
pub(crate) const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// The length of `nlmsghdr`.
pub(crate) const HEADER: usize = 16;
/// The length of `inet_diag_msg`.
pub(crate) const INET_MESSAGE: usize = 72;
/// Where the inode stands in it.
pub(crate) const INET_INODE: usize = 68;
/// `inet_diag_req_v2`'s protocol.
pub(crate) const IPPROTO_TCP: u8 = 6;

/// A socket to the kernel.
pub(crate) struct SockDiag {
    netlink: OwnedFd,
}

impl SockDiag {
    pub(crate) fn open() -> io::Result<Self> {
        let netlink =
            socket(AddressFamily::Netlink, SockType::Datagram, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)?;
        Ok(Self { netlink })
    }

    /// Asks, under a number that its answers will have.
    pub(crate) fn ask(&self, flags: u16, sequence: u32, request: &[u8]) -> io::Result<()> {
        let mut message = Vec::with_capacity(HEADER + request.len());
        message.extend_from_slice(&((HEADER + request.len()) as u32).to_ne_bytes());
        message.extend_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message.extend_from_slice(&flags.to_ne_bytes());
        message.extend_from_slice(&sequence.to_ne_bytes());
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(request);
        sendto(self.netlink.as_raw_fd(), &message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
        Ok(())
    }

    /// The next answer: one message or several, in `buffer`.
    pub(crate) fn hear<'a>(&self, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let length = recv(self.netlink.as_raw_fd(), buffer, MsgFlags::empty())?;
        Ok(buffer.get(..length).unwrap_or_default())
    }
}

/// The kind of a message.
pub(crate) fn kind(message: &[u8]) -> Option<u16> {
    u16_at(message, 4)
}

/// The number of the question that a message answers.
pub(crate) fn sequence(message: &[u8]) -> Option<u32> {
    u32_at(message, 8)
}

/// An attribute of a message, of those that stand from `from` on.
pub(crate) fn attribute(message: &[u8], from: usize, wanted: u16) -> Option<&[u8]> {
    let mut rest = message.get(from..)?;
    loop {
        let length = usize::from(u16_at(rest, 0)?);
        let payload = rest.get(4..length)?;
        if u16_at(rest, 2)? == wanted {
            return Some(payload);
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

//! One socket's state by NETLINK_SOCK_DIAG: a look takes microseconds however many sockets there are.
//!
//! The layouts are those of `linux/netlink.h`, `linux/inet_diag.h` and `linux/tcp.h`, which the kernel keeps for ever.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

use super::{ClientSocket, Sight};

pub(super) struct Diag {
    netlink: OwnedFd,
    sequence: u32,
}

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 1;
const INET_DIAG_INFO: u16 = 2;
const IPPROTO_TCP: u8 = 6;
const TCP_ESTABLISHED: u8 = 1;
const TCP_CLOSE_WAIT: u8 = 8;
const ENOENT: i32 = 2;

/// The length of `nlmsghdr`.
const HEADER: usize = 16;
/// The length of `inet_diag_msg`.
const MESSAGE: usize = 72;
/// Where `tcpi_bytes_received` stands in `tcp_info`.
const BYTES_RECEIVED: usize = 128;

impl Diag {
    pub(super) fn open() -> io::Result<Self> {
        let netlink =
            socket(AddressFamily::Netlink, SockType::Datagram, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)?;
        Ok(Self { netlink, sequence: 0 })
    }

    /// The socket whose own address is `client` and whose peer is `server`.
    pub(super) fn look(&mut self, client: SocketAddr, server: SocketAddr) -> io::Result<Sight> {
        self.sequence = self.sequence.wrapping_add(1);
        let message = self.question(client, server);
        let kernel = NetlinkAddr::new(0, 0);
        sendto(self.netlink.as_raw_fd(), &message, &kernel, MsgFlags::empty())?;
        let mut buffer = [0_u8; 2_048];
        loop {
            let length = recv(self.netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            let answer = &buffer[..length];
            // An answer to an earlier question that was given up.
            if u32_at(answer, 8) == Some(self.sequence) {
                return read(answer);
            }
        }
    }

    fn question(&self, client: SocketAddr, server: SocketAddr) -> Vec<u8> {
        let family = if client.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let mut message = Vec::with_capacity(HEADER + 56);
        message.extend_from_slice(&((HEADER + 56) as u32).to_ne_bytes());
        message.extend_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message.extend_from_slice(&NLM_F_REQUEST.to_ne_bytes());
        message.extend_from_slice(&self.sequence.to_ne_bytes());
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(&[family as u8, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0]);
        message.extend_from_slice(&u32::MAX.to_ne_bytes());
        message.extend_from_slice(&client.port().to_be_bytes());
        message.extend_from_slice(&server.port().to_be_bytes());
        message.extend_from_slice(&sixteen(client.ip()));
        message.extend_from_slice(&sixteen(server.ip()));
        // Any interface; no cookie.
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(&[0xff; 8]);
        message
    }
}

fn sixteen(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&v4.octets());
            bytes
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn read(answer: &[u8]) -> io::Result<Sight> {
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "an odd answer from NETLINK_SOCK_DIAG");
    match u16_at(answer, 4) {
        Some(SOCK_DIAG_BY_FAMILY) => {}
        Some(NLMSG_ERROR) => {
            let code = u32_at(answer, HEADER).map(u32::cast_signed).ok_or_else(odd)?;
            return if code == -ENOENT { Ok(Sight::Missing) } else { Err(io::Error::from_raw_os_error(-code)) };
        }
        _ => return Err(odd()),
    }
    let state = *answer.get(HEADER + 1).ok_or_else(odd)?;
    Ok(Sight::Seen(ClientSocket {
        open: matches!(state, TCP_ESTABLISHED | TCP_CLOSE_WAIT),
        unread: u32_at(answer, HEADER + 56).ok_or_else(odd)?,
        inode: u64::from(u32_at(answer, HEADER + 68).ok_or_else(odd)?),
        received: attribute(answer, INET_DIAG_INFO).and_then(|info| u64_at(info, BYTES_RECEIVED)),
    }))
}

fn attribute(answer: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = answer.get(HEADER + MESSAGE..)?;
    loop {
        let length = usize::from(u16_at(rest, 0)?);
        let kind = u16_at(rest, 2)?;
        let payload = rest.get(4..length)?;
        if kind == wanted {
            return Some(payload);
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

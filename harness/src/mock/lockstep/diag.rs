//! One socket's state by NETLINK_SOCK_DIAG: a look takes microseconds however many sockets there are.
//!
//! The layouts are those of `linux/inet_diag.h` and `linux/tcp.h`, which the kernel keeps for ever.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nix::sys::socket::AddressFamily;

use super::{ClientSocket, Sight};
use crate::sock_diag::{
    self, HEADER, INET_INODE, INET_MESSAGE, IPPROTO_TCP, SOCK_DIAG_BY_FAMILY, SockDiag, attribute, u32_at, u64_at,
};

pub(super) struct Diag {
    kernel: SockDiag,
    sequence: u32,
}

const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 1;
const INET_DIAG_INFO: u16 = 2;
const TCP_ESTABLISHED: u8 = 1;
const TCP_CLOSE_WAIT: u8 = 8;
const ENOENT: i32 = 2;

/// Where `tcpi_bytes_received` stands in `tcp_info`.
const BYTES_RECEIVED: usize = 128;

impl Diag {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self { kernel: SockDiag::open()?, sequence: 0 })
    }

    /// The socket whose own address is `client` and whose peer is `server`.
    pub(super) fn look(&mut self, client: SocketAddr, server: SocketAddr) -> io::Result<Sight> {
        self.sequence = self.sequence.wrapping_add(1);
        self.kernel.ask(NLM_F_REQUEST, self.sequence, &question(client, server))?;
        let mut buffer = [0_u8; 2_048];
        loop {
            let answer = self.kernel.hear(&mut buffer)?;
            // An answer to an earlier question that was given up.
            if sock_diag::sequence(answer) == Some(self.sequence) {
                return read(answer);
            }
        }
    }
}

fn question(client: SocketAddr, server: SocketAddr) -> Vec<u8> {
    let family = if client.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let mut request = vec![family as u8, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0];
    request.extend_from_slice(&u32::MAX.to_ne_bytes());
    request.extend_from_slice(&client.port().to_be_bytes());
    request.extend_from_slice(&server.port().to_be_bytes());
    request.extend_from_slice(&sixteen(client.ip()));
    request.extend_from_slice(&sixteen(server.ip()));
    // Any interface; no cookie.
    request.extend_from_slice(&[0; 4]);
    request.extend_from_slice(&[0xff; 8]);
    request
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
    match sock_diag::kind(answer) {
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
        inode: u64::from(u32_at(answer, HEADER + INET_INODE).ok_or_else(odd)?),
        received: attribute(answer, HEADER + INET_MESSAGE, INET_DIAG_INFO)
            .and_then(|info| u64_at(info, BYTES_RECEIVED)),
    }))
}

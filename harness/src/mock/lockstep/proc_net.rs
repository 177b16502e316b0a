//! One socket's state out of `/proc/net/tcp`: the table of all sockets, where the kernel cannot be asked for one.

use std::io;
use std::net::{IpAddr, SocketAddr};

use super::{ClientSocket, Sight};

/// The socket whose own address is `client` and whose peer is `server`.
pub(super) fn look(client: SocketAddr, server: SocketAddr) -> io::Result<Sight> {
    let table = if client.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    Ok(find(&std::fs::read_to_string(table)?, client, server))
}

fn find(table: &str, client: SocketAddr, server: SocketAddr) -> Sight {
    let wanted = format!(": {} {} ", spelled(client), spelled(server));
    let found = table.lines().find_map(|line| line.split_once(wanted.as_str()).and_then(|(_, rest)| parse(rest)));
    found.map_or(Sight::Missing, Sight::Seen)
}

/// `st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`
fn parse(rest: &str) -> Option<ClientSocket> {
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let (_, unread) = fields.next()?.split_once(':')?;
    Some(ClientSocket {
        open: matches!(state, "01" | "08"),
        unread: u32::from_str_radix(unread, 16).ok()?,
        received: None,
        inode: fields.nth(4)?.parse().ok()?,
    })
}

/// As the kernel spells it: each 32-bit word of the address in this machine's byte order, then the port.
fn spelled(address: SocketAddr) -> String {
    let words: String = match address.ip() {
        IpAddr::V4(v4) => format!("{:08X}", u32::from_ne_bytes(v4.octets())),
        IpAddr::V6(v6) => v6
            .octets()
            .chunks_exact(4)
            .filter_map(|word| word.try_into().ok())
            .map(|word| format!("{:08X}", u32::from_ne_bytes(word)))
            .collect(),
    };
    format!("{words}:{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_socket_is_found_among_others() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:A66A 0100007F:8AA2 01 00000000:00000007 00:00000000 00000000  1000        0 4711 1 0 20 4 30 10 -1\n\
            1: 0100007F:8AA2 0100007F:A66A 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1\n";
        let (a, b) = ("127.0.0.1:42602".parse().unwrap(), "127.0.0.1:35490".parse().unwrap());
        let socket = |unread, inode| Sight::Seen(ClientSocket { open: true, unread, received: None, inode });
        if cfg!(target_endian = "little") {
            assert_eq!(find(table, a, b), socket(7, 4711));
            assert_eq!(find(table, b, a), socket(0, 4712));
        }
        assert_eq!(find(table, a, "127.0.0.1:1".parse().unwrap()), Sight::Missing);
    }

    #[test]
    fn both_ways_of_looking_see_the_same() {
        use std::io::Write as _;

        for any in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = std::net::TcpListener::bind(any) else { continue };
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            server.write_all(b"unread").unwrap();
            let (client, server) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
            let Sight::Seen(table) = look(client, server).unwrap() else { panic!("not in the table") };
            assert_eq!((table.open, table.unread), (true, 6));
            let Ok(mut diag) = super::super::diag::Diag::open() else { continue };
            let Sight::Seen(asked) = diag.look(client, server).unwrap() else {
                panic!("the kernel knows no such socket")
            };
            assert_eq!(asked, ClientSocket { received: Some(6), ..table });
        }
    }
}

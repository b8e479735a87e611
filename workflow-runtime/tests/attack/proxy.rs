//! A network that fails on purpose: a TCP proxy before a server, which delays, swallows and cuts what goes through.
//! It knows bytes, and not what they mean.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Network {
    Sound,
    /// Everything comes so much later.
    Slow(Duration),
    /// Nothing comes any more, and nobody is told.
    Silent,
    /// Nothing comes any more over the connections that there are, for ever, and nobody is told; new ones are sound.
    Forgotten,
    /// What is asked over the connections that there are gets through; no answer comes back, for ever, and nobody is
    /// told; new ones are sound.
    Unanswered,
    /// Connections are cut, and nobody gets a new one.
    Cut,
}

/// Clones are the same proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    network: Network,
    connections: Vec<TcpStream>,
    /// Connections are numbered as they come; those before this one are forgotten.
    forgotten: usize,
    /// Of these only the answers.
    unanswered: usize,
    last: usize,
}

impl Proxy {
    /// Before the server that listens on this port of the loopback interface.
    pub(crate) fn before(server: u16) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            network: Network::Sound,
            connections: Vec::new(),
            forgotten: 0,
            unanswered: 0,
            last: 0,
        }));
        let proxy = Proxy { port, state };
        let accepting = proxy.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // Dropped, it is reset or closed, as by a server that is gone.
                if accepting.network() == Network::Cut {
                    continue;
                }
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) {
                    accepting.join(client, server);
                }
            }
        });
        proxy
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, network: Network) {
        let mut state = self.state.lock().unwrap();
        // What was swallowed never comes: whoever waited for it has to begin anew.
        let loses = network == Network::Cut || state.network == Network::Silent;
        state.network = network;
        if network == Network::Forgotten {
            // Kept open: who waits for an answer waits.
            state.forgotten = state.last + 1;
            state.connections.clear();
        }
        if network == Network::Unanswered {
            state.unanswered = state.last + 1;
            state.connections.clear();
        }
        if loses {
            for connection in state.connections.drain(..) {
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
    }

    /// What becomes of what is sent over this connection.
    fn network_of(&self, connection: usize, is_answer: bool) -> Network {
        let state = self.state.lock().unwrap();
        match state.network {
            _ if connection < state.forgotten => Network::Forgotten,
            _ if is_answer && connection < state.unanswered => Network::Unanswered,
            Network::Forgotten | Network::Unanswered => Network::Sound,
            network => network,
        }
    }

    fn network(&self) -> Network {
        self.state.lock().unwrap().network
    }

    fn join(&self, client: TcpStream, server: TcpStream) {
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let clones = [client.try_clone().unwrap(), server.try_clone().unwrap()];
        let number = {
            let mut state = self.state.lock().unwrap();
            state.connections.extend(clones);
            state.last += 1;
            state.last
        };
        let ways =
            [(client.try_clone().unwrap(), server.try_clone().unwrap(), false), (server, client, true)];
        for (from, to, is_answer) in ways {
            let proxy = self.clone();
            std::thread::spawn(move || proxy.forward(number, from, to, is_answer));
        }
    }

    fn forward(&self, number: usize, mut from: TcpStream, mut to: TcpStream, is_answer: bool) {
        let mut bytes = [0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            match self.network_of(number, is_answer) {
                Network::Sound => {}
                Network::Slow(delay) => std::thread::sleep(delay),
                Network::Silent | Network::Forgotten | Network::Unanswered => continue,
                Network::Cut => break,
            }
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}

#[test]
fn a_network_that_is_cut_lets_nothing_through() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut byte = [0];
                while client.read_exact(&mut byte).and_then(|()| client.write_all(&byte)).is_ok() {}
            });
        }
    });
    let proxy = Proxy::before(port);
    let connect = || {
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        client
    };
    let echo = |client: &mut TcpStream| {
        let mut byte = [0];
        client.write_all(b"x").and_then(|()| client.read_exact(&mut byte)).is_ok()
    };
    let mut client = connect();
    assert!(echo(&mut client));
    proxy.set(Network::Slow(Duration::from_millis(1)));
    assert!(echo(&mut client));
    proxy.set(Network::Silent);
    assert!(!echo(&mut client));
    proxy.set(Network::Sound);
    assert!(!echo(&mut client), "what was swallowed is lost with its connection");
    let mut client = connect();
    assert!(echo(&mut client));
    proxy.set(Network::Forgotten);
    assert!(!echo(&mut client) && echo(&mut connect()));
    proxy.set(Network::Sound);
    assert!(!echo(&mut client), "what was forgotten once is forgotten for ever");
    let mut client = connect();
    assert!(echo(&mut client));
    proxy.set(Network::Unanswered);
    assert!(!echo(&mut client) && echo(&mut connect()));
    let mut client = connect();
    proxy.set(Network::Cut);
    assert!(!echo(&mut client) && !echo(&mut connect()));
    proxy.set(Network::Sound);
    assert!(echo(&mut connect()));
}

//! The clock, chance, the machine and the world outside: each with what to write instead.
use std::time::{Instant, SystemTime};
use workflow_runtime::prelude::*;

#[step]
async fn remind(_text: String) {}

#[workflow]
async fn asks_the_clock(due: SystemTime) {
    let began = Instant::now();
    if std::time::SystemTime::now() < due {
        remind(format!("{:?} {:?}", began, SystemTime::now())).await;
    }
    let seen = None.unwrap_or_else(SystemTime::now);
    remind(format!("{seen:?}")).await;
}

#[workflow]
async fn asks_the_machine() {
    use std::env::var as setting;
    use std::{fs, net, thread};
    remind(setting("HOME").unwrap()).await;
    remind(std::env::args().collect()).await;
    let text = fs::read_to_string("text").unwrap();
    let reads = |path: &str| fs::read_to_string(path).unwrap_or_default();
    remind(text + &reads("more")).await;
    net::TcpStream::connect("localhost:80").unwrap();
    thread::sleep(std::time::Duration::from_secs(1));
    std::process::Command::new("ls").spawn().unwrap();
}

#[workflow]
async fn says_it_aloud(name: String) {
    println!("reminding {name}");
    print!("{name}");
    if name.is_empty() {
        eprintln!("nobody");
    }
    remind(name).await;
}

fn main() {}

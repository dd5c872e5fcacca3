//! A mail server of a test's own: takes every letter and keeps it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// Letters as they came, headers and all.
pub struct Mailbox {
    pub url: String,
    letters: Receiver<String>,
}

impl Mailbox {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let (sender, letters) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                std::thread::spawn(move || serve(stream, &sender));
            }
        });
        Self { url, letters }
    }

    /// The next letter, decoded as far as these tests need it.
    pub fn next(&self) -> String {
        self.letters
            .recv_timeout(Duration::from_secs(10))
            .expect("a letter")
    }

    /// What stands after `#` in the link of the next letter.
    pub fn next_token(&self) -> String {
        let letter = self.next();
        let after = letter
            .split_once('#')
            .unwrap_or_else(|| panic!("no link in {letter}"))
            .1;
        after.split_whitespace().next().expect("a token").to_owned()
    }

    /// There is no letter, and none comes before the one that follows.
    pub fn is_empty(&self) -> bool {
        self.letters.try_recv().is_err()
    }
}

fn serve(stream: TcpStream, letters: &Sender<String>) {
    let mut out = stream.try_clone().expect("a stream");
    let mut lines = BufReader::new(stream).lines();
    let mut say = |text: &str| out.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    say("220 test");
    while let Some(Ok(line)) = lines.next() {
        let word = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        match word.as_str() {
            "EHLO" => say("250-test\r\n250 8BITMIME"),
            "DATA" => {
                say("354 go on");
                let letter: Vec<String> = lines
                    .by_ref()
                    .map_while(Result::ok)
                    .take_while(|line| line != ".")
                    .collect();
                let _the_test_is_over = letters.send(decoded(&letter));
                say("250 taken")
            }
            "QUIT" => {
                say("221 bye");
                return;
            }
            _ => say("250 fine"),
        };
    }
}

/// Undoes quoted-printable and base64 bodies.
fn decoded(lines: &[String]) -> String {
    let text = lines.join("\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let head_lower = head.to_lowercase();
    let body = if head_lower.contains("quoted-printable") {
        let joined = body.replace("=\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'=' {
                let pair = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let hex = std::str::from_utf8(&pair).unwrap_or("00");
                bytes.push(u8::from_str_radix(hex, 16).unwrap_or(b'?'));
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    } else if head_lower.contains("transfer-encoding: base64") {
        use base64::Engine;
        let joined: String = body.split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(joined)
            .unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        body.to_owned()
    };
    format!("{head}\n\n{body}")
}

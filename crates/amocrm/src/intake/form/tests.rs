use super::*;
use proptest::prelude::*;

fn normal(body: &str) -> String {
    let mut out = String::new();
    decode(body.as_bytes()).unwrap().write_normal(&mut out);
    out
}

fn refused(body: &[u8], position: usize) {
    match decode(body) {
        Err(IntakeError::Malformed { position: at, .. }) => assert_eq!(at, position),
        other => panic!("{other:?}"),
    }
}

#[test]
fn brackets_pluses_and_escapes() {
    assert_eq!(normal("a=1"), r#"{"a":"1";}"#);
    assert_eq!(normal("a%5Bb%5D%5B0%5D=x+y%26"), r#"{"a":{"b":{0:"x y&";};};}"#);
    assert_eq!(normal("a%5b%D0%B1%5d=1"), r#"{"a":{"б":"1";};}"#);
    assert_eq!(normal("a[1]=b&a[0]=c"), normal("a[0]=c&a[1]=b"));
    assert_eq!(normal("a[]=x&a[]=y"), normal("a[0]=x&a[1]=y"));
    assert_eq!(normal("a[10]=x&a[9]=y"), r#"{"a":{9:"y";10:"x";};}"#);
    assert_eq!(normal("a[01]=x"), r#"{"a":{"01":"x";};}"#);
    assert_eq!(normal("&&a=&"), r#"{"a":"";}"#);
    assert_eq!(normal("a==b"), r#"{"a":"=b";}"#);
    assert_eq!(normal(r#"a="};"#), r#"{"a":"\"};";}"#);
}

#[test]
fn a_text_may_also_be_a_parent() {
    assert_eq!(normal("t=3&t[u]=4"), r#"{"t":"3"{"u":"4";};}"#);
    assert_eq!(normal("t[u]=4&t=3"), normal("t=3&t[u]=4"));
}

#[test]
fn mistakes_have_positions() {
    refused(b"a=1&b=%5", 6);
    refused(b"a=%zz", 2);
    refused(b"a=1&bcd", 4);
    refused(b"a%5Bb=1", 0);
    refused(b"a[b]c=1", 0);
    refused(b"a[%5]=1", 2);
    refused(b"x=1&a[b][%ff]=1", 9);
    refused(b"%5Ba]=1", 0);
    refused(b"[a]=1", 0);
    refused(b"=1", 0);
    refused(b"a=\xff", 2);
    refused(b"a=%ff%fe", 2);
    let deep = format!("a{}=1", "[b]".repeat(1000));
    assert_eq!(
        decode(deep.as_bytes()),
        Err(IntakeError::TooDeep { limit: MAX_DEPTH })
    );
    assert_eq!(
        decode(&vec![b'a'; MAX_BYTES + 1]),
        Err(IntakeError::TooLarge { limit: MAX_BYTES })
    );
    let many = "a[]=1&".repeat(MAX_PAIRS + 1);
    assert!(matches!(
        decode(many.as_bytes()),
        Err(IntakeError::Malformed { .. })
    ));
}

/// What a sender does: the leaves of a tree as pairs.
fn encode(pairs: &[(Vec<String>, String)]) -> String {
    let byte = |b: u8| match b {
        b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        b' ' => "+".to_owned(),
        b => format!("%{b:02X}"),
    };
    let escape = |text: &str| text.bytes().map(byte).collect::<String>();
    let mut out = String::new();
    for (path, value) in pairs {
        for (at, step) in path.iter().enumerate() {
            out.push_str(&if at == 0 {
                escape(step)
            } else {
                format!("%5B{}%5D", escape(step))
            });
        }
        out.push_str(&format!("={}&", escape(value)));
    }
    out
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _decoded = decode(&body);
    }

    #[test]
    fn almost_forms_never_panic(body in r"[a-b0-9\[\]%=&+ \PC]{0,120}") {
        let _decoded = decode(body.as_bytes());
    }

    #[test]
    fn what_is_encoded_is_decoded(
        pairs in proptest::collection::vec(
            (proptest::collection::vec(r"[^\[\]]{1,8}", 1..6), r"\PC{0,20}"), 0..12)
    ) {
        let body = encode(&pairs);
        let root = decode(body.as_bytes()).unwrap();
        for (index, (path, _)) in pairs.iter().enumerate() {
            // The last pair of a path decides.
            let value = &pairs[index..].iter().rev().find(|(other, _)| other == path).unwrap().1;
            let mut node = &root;
            for step in path {
                node = &node.children[&key(Cow::Borrowed(step.as_str()))];
            }
            prop_assert_eq!(node.text.as_deref(), Some(value.as_str()));
        }
    }
}

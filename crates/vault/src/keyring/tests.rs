use super::*;

fn key(id: &str, seed: u8) -> InstallationKey {
    let bytes: Vec<u8> = (0..32u8)
        .map(|at| at.wrapping_mul(37).wrapping_add(seed) ^ 0x95)
        .collect();
    InstallationKey::parse(id, &SecretString::from(STANDARD.encode(bytes))).unwrap()
}

fn ring(ids: &[(&str, u8)]) -> Keyring {
    Keyring::new(ids.iter().map(|(id, seed)| key(id, *seed)).collect()).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

#[test]
fn sealed_text_travels_as_text_and_opens() {
    let ring = ring(&[("k1", 1)]);
    let text = ring
        .seal(&secret("пароль 🔑"), "connection:1")
        .unwrap()
        .to_string();
    assert!(text.starts_with("v1.k1."), "{text}");
    let sealed: Sealed = text.parse().unwrap();
    assert_eq!(sealed.to_string(), text);
    assert_eq!(
        ring.open(&sealed, "connection:1").unwrap().expose_secret(),
        "пароль 🔑"
    );
}

#[test]
fn same_text_is_sealed_differently_each_time() {
    let ring = ring(&[("k1", 1)]);
    let one = ring.seal(&secret("x"), "a").unwrap();
    assert_ne!(one, ring.seal(&secret("x"), "a").unwrap());
}

#[test]
fn swapped_associated_data_does_not_open() {
    let ring = ring(&[("k1", 1)]);
    let first = ring.seal(&secret("one"), "connection:1").unwrap();
    let second = ring.seal(&secret("two"), "connection:2").unwrap();
    assert_eq!(
        ring.open(&first, "connection:2").unwrap_err(),
        VaultError::NotOpened
    );
    assert_eq!(
        ring.open(&second, "connection:1").unwrap_err(),
        VaultError::NotOpened
    );
    assert_eq!(ring.open(&first, "").unwrap_err(), VaultError::NotOpened);
}

#[test]
fn changed_bytes_do_not_open() {
    let ring = ring(&[("k1", 1)]);
    let sealed = ring.seal(&secret("one"), "a").unwrap();
    for at in 0..sealed.ciphertext().len() {
        let mut bytes = sealed.ciphertext().to_vec();
        bytes[at] ^= 1;
        let changed = Sealed::new("k1".to_owned(), sealed.nonce(), bytes);
        assert_eq!(
            ring.open(&changed, "a").unwrap_err(),
            VaultError::NotOpened,
            "byte {at}"
        );
    }
}

#[test]
fn newest_seals_and_all_open() {
    let old = ring(&[("k1", 1)]);
    let sealed = old.seal(&secret("one"), "a").unwrap();
    let both = ring(&[("k2", 2), ("k1", 1)]);
    assert_eq!(both.open(&sealed, "a").unwrap().expose_secret(), "one");
    assert!(both.is_outdated(&sealed));
    let resealed = both.reseal(&sealed, "a").unwrap();
    assert_eq!(resealed.key_id(), "k2");
    assert!(!both.is_outdated(&resealed));
    let new = ring(&[("k2", 2)]);
    assert_eq!(new.open(&resealed, "a").unwrap().expose_secret(), "one");
    assert_eq!(
        new.open(&sealed, "a").unwrap_err(),
        VaultError::UnknownKey { id: "k1".to_owned() }
    );
}

#[test]
fn another_key_of_the_same_name_does_not_open() {
    let sealed = ring(&[("k1", 1)]).seal(&secret("one"), "a").unwrap();
    assert_eq!(
        ring(&[("k1", 9)]).open(&sealed, "a").unwrap_err(),
        VaultError::NotOpened
    );
}

#[test]
fn data_key_survives_rotation_and_seals_for_its_workspace_only() {
    let old = ring(&[("k1", 1)]);
    let key = DataKey::generate().unwrap();
    let sealed_key = old.seal_key(&key, "workspace:1").unwrap();
    let token = key.seal(&secret("токен"), "connection:7").unwrap();

    let both = ring(&[("k2", 2), ("k1", 1)]);
    let rotated = both.reseal_key(&sealed_key, "workspace:1").unwrap();
    let opened = ring(&[("k2", 2)]).open_key(&rotated, "workspace:1").unwrap();
    assert_eq!(
        opened.open(&token, "connection:7").unwrap().expose_secret(),
        "токен"
    );
    assert_eq!(
        opened.open(&token, "connection:8").unwrap_err(),
        VaultError::NotOpened
    );
    assert_eq!(
        both.open_key(&sealed_key, "workspace:2").unwrap_err(),
        VaultError::NotOpened
    );
    assert_eq!(
        both.open(&sealed_key, "workspace:1").unwrap_err(),
        VaultError::NotOpened
    );

    let other = DataKey::generate().unwrap();
    assert!(matches!(
        other.open(&token, "connection:7"),
        Err(VaultError::UnknownKey { .. })
    ));
}

#[test]
fn weak_keys_are_refused_in_russian() {
    let check = |text: &str, expected: KeyError| {
        let error = InstallationKey::parse("k1", &secret(text)).unwrap_err();
        assert_eq!(error, expected);
        assert!(error.to_string().contains("ключ «k1»"), "{error}");
    };
    let id = || "k1".to_owned();
    check("", KeyError::WrongLength { id: id(), bytes: 0 });
    check("changeme", KeyError::WrongLength { id: id(), bytes: 6 });
    check("не ключ", KeyError::NotEncoded { id: id() });
    check(
        &STANDARD.encode([7; 31]),
        KeyError::WrongLength { id: id(), bytes: 31 },
    );
    check(&STANDARD.encode([0; 32]), KeyError::Guessable { id: id() });
    check(
        &STANDARD.encode(b"correct horse battery staple 123"),
        KeyError::Guessable { id: id() },
    );
    let counting: Vec<u8> = (0..32).collect();
    check(&STANDARD.encode(counting), KeyError::Guessable { id: id() });
    assert_eq!(Keyring::new(Vec::new()).unwrap_err(), KeyError::NoKeys);
    assert_eq!(
        InstallationKey::parse("a.b", &secret("")).unwrap_err(),
        KeyError::BadId
    );
    assert_eq!(
        Keyring::new(vec![key("k1", 1), key("k1", 2)]).unwrap_err(),
        KeyError::Repeated { id: id() }
    );
}

#[test]
fn generated_key_is_accepted_in_every_spelling() {
    for _ in 0..200 {
        let text = InstallationKey::generate().unwrap();
        let parsed = InstallationKey::parse("k", &text).unwrap();
        let hex = secret(&crate::token::hex(&*parsed.bytes));
        assert_eq!(InstallationKey::parse("k", &hex).unwrap().bytes, parsed.bytes);
        let url = secret(&URL_SAFE_NO_PAD.encode(*parsed.bytes));
        assert_eq!(InstallationKey::parse("k", &url).unwrap().bytes, parsed.bytes);
    }
}

#[test]
fn malformed_text_is_refused() {
    let good = ring(&[("k1", 1)]).seal(&secret("one"), "a").unwrap().to_string();
    let check = |text: &str| {
        assert!(
            matches!(text.parse::<Sealed>(), Err(VaultError::Malformed { .. })),
            "{text}"
        )
    };
    check("");
    check("one");
    check(&good.replacen("v1", "v2", 1));
    check(&good.replacen("k1", "", 1));
    check(&format!("{good}.more"));
    check("v1.k1.AAAA.AAAA");
    check("v1.k1.AAAAAAAAAAAAAAAA.ж");
}

#[test]
fn debug_prints_no_key() {
    let ring = ring(&[("k2", 2), ("k1", 1)]);
    assert_eq!(format!("{ring:?}"), r#"["k2", "k1"]"#);
    assert!(format!("{:?}", DataKey::generate().unwrap()).starts_with("DataKey(dk-"));
}

//! What a configuration may have.

use super::*;

#[test]
fn a_broker_has_host_and_port_and_no_password() {
    let parse = |text: &str| text.parse::<BrokerAddress>();
    let address = parse("mqtts://erika@home.example").unwrap();
    assert_eq!((address.port, address.is_encrypted), (8883, true));
    assert_eq!(address.user.as_deref(), Some("erika"));
    assert_eq!(parse("mqtt://[::1]:1884").unwrap().to_string(), "[::1]:1884");
    assert_eq!(parse("mqtt://127.0.0.1").unwrap().to_string(), "127.0.0.1:1883");
    let error = parse("mqtt://erika:hunter2@home.example").unwrap_err();
    assert_eq!(error, AddressError::Password);
    assert!(!error.to_string().contains("hunter2"));
    for wrong in
        ["", "home.example", "http://home.example", "mqtt://", "mqtt://h/topic", "mqtt://h?x"]
    {
        assert_eq!(parse(wrong), Err(AddressError::Broker), "{wrong}");
    }
}

#[test]
fn lines_go_to_a_server_a_file_or_standard_output() {
    let parse = |text: &str| text.parse::<InfluxTarget>();
    assert_eq!(parse("-"), Ok(InfluxTarget::StandardOutput));
    assert_eq!(parse("a/b.txt"), Ok(InfluxTarget::File("a/b.txt".into())));
    assert!(matches!(parse("http://localhost:8086/write?db=ebp"), Ok(InfluxTarget::Server(_))));
    for wrong in ["http://u:p@h/write?db=e", "http://h/write?db=e&p=hunter2", "https://h/w?token=x"]
    {
        assert_eq!(parse(wrong), Err(AddressError::Password), "{wrong}");
    }
    for wrong in ["", "ftp://h/x", "http://h:8086"] {
        assert_eq!(parse(wrong), Err(AddressError::Server), "{wrong}");
    }
}

#[test]
fn prefixes_and_addresses_are_checked() {
    for good in ["ebp", "home/energy", "a-b_c"] {
        assert!(good.parse::<Prefix>().is_ok(), "{good}");
    }
    for wrong in ["", "/ebp", "ebp/", "a//b", "a/+", "#", "$SYS", "a b"] {
        assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
    }
    assert!("127.0.0.1:8075".parse::<LocalAddress>().is_ok());
    assert!("[::1]:8075".parse::<LocalAddress>().is_ok());
    for wrong in ["0.0.0.0:8075", "192.168.1.2:8075", "localhost:8075", "8075"] {
        assert!(wrong.parse::<LocalAddress>().is_err(), "{wrong}");
    }
}

#[test]
fn nothing_is_published_by_default_and_no_secret_is_shown() {
    assert!(PublishConfig::default().is_empty());
    assert_eq!(PublishConfig::default().interval(), None);
    let mut mqtt = MqttConfig::new("mqtt://localhost".parse().unwrap());
    mqtt.password = Some(Secret::new("hunter2".to_owned()));
    let config = PublishConfig { mqtt: Some(mqtt), ..PublishConfig::default() };
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.interval(), Some(Duration::from_secs(10)));
}

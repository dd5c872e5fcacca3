use super::*;
use domain::field::SystemField;
use domain::value::Value;

fn note(key: &RecordKey) -> Write {
    Write::AddNote {
        key: key.clone(),
        text: "Перезвонить".to_owned(),
    }
}

#[tokio::test]
async fn a_lost_answer_is_found_by_a_look_and_a_refusal_is_not() {
    let crm = ScriptedConnector::new(ConnectorKind::Amocrm, 100);
    let key = RecordKey::new(RecordKind::Deal, 7);
    crm.put(Record::new(RecordKind::Deal, 7).with(SystemField::Name, Value::text("Сделка")));
    crm.set_now(Timestamp(5_000));

    crm.fail_next(On::Write, Fault::AnswerLost);
    assert!(crm.write(&note(&key)).await.unwrap_err().is_uncertain());
    assert!(matches!(
        crm.look(&note(&key), Timestamp(5_000)).await,
        Ok(Look::Applied(_))
    ));
    assert!(matches!(
        crm.look(&note(&key), Timestamp(5_001)).await,
        Ok(Look::NotApplied)
    ));

    let unavailable = ConnectorError::Unavailable {
        status: 503,
        uncertain: false,
    };
    crm.fail_next(On::Write, Fault::Fail(unavailable));
    assert!(crm.write(&note(&key)).await.is_err());
    assert_eq!(crm.applied().len(), 1);
    assert_eq!(crm.take_calls().len(), 4);
}

#[tokio::test]
async fn created_contact_is_found_by_another_spelling_of_its_phone() {
    let crm = ScriptedConnector::new(ConnectorKind::Lptracker, 1);
    let fields = vec![domain::command::FieldWrite {
        key: SystemField::Phone.into(),
        value: Value::Text("8 (900) 000-00-01".to_owned()),
        mode: domain::command::WriteMode::Replace,
    }];
    crm.write(&Write::CreateContact {
        kind: RecordKind::LeadContact,
        fields,
        pipeline: Some(1),
    })
    .await
    .unwrap();
    let found = crm
        .find_contacts(&ContactQuery::Phone("+79000000001".to_owned()))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert!(
        crm.find_contacts(&ContactQuery::Phone("+79000000002".to_owned()))
            .await
            .unwrap()
            .is_empty()
    );
}

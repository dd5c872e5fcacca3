//! The suite that every connector passes.

use crate::support::{Fake, id};
use async_trait::async_trait;
use connector::Connector;
use connector::conformance::{Capabilities, Harness, Lost};
use domain::record::{RecordId, RecordKind};
use domain::time::Timestamp;
use domain::value::Stage;
use sandbox::{Fault, FaultKind, Side};
use std::time::Duration;

struct Amocrm(Fake);

fn harness() -> Amocrm {
    Amocrm(Fake::start())
}

#[async_trait]
impl Harness for Amocrm {
    fn capabilities(&self) -> Capabilities {
        let stage = |status| Stage {
            pipeline: sandbox::PIPELINE_SALES,
            status,
        };
        Capabilities {
            record: RecordKind::Deal,
            contact: RecordKind::Contact,
            project: None,
            stages: [stage(sandbox::STATUS_NEW), stage(sandbox::STATUS_TO_CALL)],
            text_field: sandbox::FIELD_CITY,
            user: sandbox::USER_IVAN,
            tags: true,
            tasks: true,
            call_log: true,
            payments: false,
        }
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::new(self.0.admin())
    }

    fn stranger(&self) -> Box<dyn Connector> {
        Box::new(self.0.with_token("чужой"))
    }

    async fn contact_by_person(&self, name: &str, phone: &str) -> RecordId {
        id(self.0.contact(name, phone))
    }

    async fn record_by_person(&self, contact: &RecordId, name: &str) -> RecordId {
        id(self.0.deal(contact.number(), name))
    }

    fn lose_next_write(&self, how: Lost) {
        let kind = match how {
            Lost::AnswerAfterApplying => FaultKind::CutAfterApply,
            Lost::RequestBeforeApplying => FaultKind::CutBeforeApply,
        };
        self.0.sandbox.world.faults.add(Fault::once(Side::Amocrm, kind));
    }

    fn refuse_next_for_rate(&self, wait: Duration) {
        let retry_after = Some(wait.as_secs() as u32);
        let kind = FaultKind::Status {
            code: 429,
            body: None,
            retry_after,
        };
        self.0.sandbox.world.faults.add(Fault::once(Side::Amocrm, kind));
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.0.sandbox.world.clock.now_ms())
    }
}

connector::conformance_suite!(harness);

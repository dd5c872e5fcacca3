//! Calls: they ring for a while on the virtual clock, then leave an item, a step and a webhook.

use super::error::ApiError;
use super::model::{Call, Lead};
use super::settings::CallOutcome;
use super::state::{By, IdKind, Origin, State};
use super::text::{digits, same_name};

/// Why a call was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallReason {
    /// `callback: true` on lead creation.
    Callback,
    /// `POST /lead/{id}/call`.
    Request,
    /// The lead was put on a step with an autofunnel.
    Robot,
}

/// A call that is still ringing.
#[derive(Debug, Clone)]
pub struct PendingCall {
    /// Lead being called.
    pub lead_id: i64,
    /// When it ends, unix milliseconds.
    pub due_ms: i64,
    /// Why it started.
    pub reason: CallReason,
}

impl State {
    /// Starts a call; it ends by itself when its time has come.
    pub(super) fn start_call(&mut self, lead_id: i64, reason: CallReason, now_ms: i64) {
        let delay = match reason {
            CallReason::Robot => self.settings.robot_delay_ms,
            CallReason::Callback | CallReason::Request => self.settings.call_delay_ms,
        };
        self.pending_calls.push(PendingCall {
            lead_id,
            due_ms: now_ms.saturating_add(delay.max(0)),
            reason,
        });
        self.wake.notify_one();
    }

    /// Starts the robot when the lead stands on a step with an active autofunnel.
    pub(super) fn robot_check(&mut self, lead_id: i64, now_ms: i64) {
        if self.on_robot_step(lead_id) {
            self.start_call(lead_id, CallReason::Robot, now_ms);
        }
    }

    fn on_robot_step(&self, lead_id: i64) -> bool {
        let Ok(lead) = self.lead(lead_id) else {
            return false;
        };
        let Ok(project) = self.project(lead.project_id) else {
            return false;
        };
        project
            .autofunnels
            .iter()
            .any(|robot| robot.active && robot.step_id == lead.step_id)
    }

    /// Ends every call whose time has come. Call it whenever virtual time may have moved.
    pub fn tick(&mut self) {
        let now_ms = self.clock.now_ms();
        loop {
            let due = self
                .pending_calls
                .iter()
                .enumerate()
                .filter(|(_, call)| call.due_ms <= now_ms)
                .min_by_key(|(_, call)| call.due_ms)
                .map(|(index, _)| index);
            let Some(index) = due else { return };
            let call = self.pending_calls.remove(index);
            self.ring_out(&call);
        }
    }

    /// When the next call ends, unix milliseconds.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.pending_calls.iter().map(|call| call.due_ms).min()
    }

    fn ring_out(&mut self, call: &PendingCall) {
        // A robot gives up on a lead that was taken off its step meanwhile.
        if call.reason == CallReason::Robot && !self.on_robot_step(call.lead_id) {
            return;
        }
        let Ok(lead) = self.lead(call.lead_id) else { return };
        let phones = self.phones(lead);
        let scripted = self.scripted.iter().position(|outcome| {
            outcome
                .phone
                .as_deref()
                .is_none_or(|phone| phones.contains(&digits(phone)))
        });
        let outcome = match scripted.and_then(|index| self.scripted.remove(index)) {
            Some(outcome) => outcome,
            None => self.settings.default_outcome.clone(),
        };
        let by = By {
            now_ms: call.due_ms,
            origin: Origin::Robot,
        };
        // The lead exists and steps are looked up leniently, so nothing here can be refused.
        let _ = self.finish_call(call.lead_id, &outcome, by);
    }

    fn phones(&self, lead: &Lead) -> Vec<String> {
        let details = self
            .contacts
            .get(&lead.contact_id)
            .map(|contact| contact.details.as_slice());
        let phones = details
            .unwrap_or_default()
            .iter()
            .filter(|detail| detail.kind == "phone");
        phones.map(|detail| detail.data.clone()).collect()
    }

    /// Writes a finished call down: item, comment, step change, one webhook for all of it.
    pub(super) fn finish_call(
        &mut self,
        lead_id: i64,
        outcome: &CallOutcome,
        by: By,
    ) -> Result<(), ApiError> {
        let lead = self.lead(lead_id)?;
        let project = self.project(lead.project_id)?;
        let step = project
            .steps
            .iter()
            .find(|step| match (outcome.step_id, &outcome.step) {
                (Some(id), _) => step.id == id,
                (None, Some(name)) => same_name(&step.name, name),
                (None, None) => false,
            });
        let moved = step.map(|step| step.id).filter(|id| *id != lead.step_id);
        let time = by.now_ms.div_euclid(1000);
        let answered = outcome.disposition.to_ascii_uppercase().starts_with("ANSWER");
        let call = Call {
            linkedid: format!("{time}.{}", self.ids.next(IdKind::Call)),
            time,
            duration: if answered { outcome.duration.max(0) } else { 0 },
            direction: outcome.direction.clone(),
            disposition: outcome.disposition.clone(),
            recorded: outcome.record && answered,
            owner_id: outcome.owner_id,
        };
        let lead = self.lead_mut(lead_id)?;
        lead.calls.push(call);
        let mut fields = vec!["calls_records"];
        if let Some(step_id) = moved {
            lead.step_id = step_id;
            fields.push("stage.id");
        }
        if let Some(text) = outcome.comment.as_deref().filter(|text| !text.trim().is_empty()) {
            self.push_comment(lead_id, text, by)?;
        }
        self.lead_changed(lead_id, &fields, by);
        Ok(())
    }

    /// The recording behind a link, if there is such a call.
    pub fn recording(&self, linkedid: &str) -> Option<Vec<u8>> {
        let calls = self.leads.values().flat_map(|lead| lead.calls.iter());
        let call = calls
            .into_iter()
            .find(|call| call.recorded && call.linkedid == linkedid)?;
        Some(tone(call.duration))
    }
}

/// A small mono WAV file, 8 kHz and 8 bits: a quiet beep, at most five seconds of it.
fn tone(seconds: i64) -> Vec<u8> {
    const RATE: u32 = 8_000;
    let samples = u32::try_from(seconds.clamp(1, 5)).unwrap_or(1) * RATE;
    let mut wav = Vec::with_capacity(44 + samples as usize);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + samples).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16_u32.to_le_bytes());
    for half in [1_u16, 1] {
        wav.extend_from_slice(&half.to_le_bytes());
    }
    wav.extend_from_slice(&RATE.to_le_bytes());
    wav.extend_from_slice(&RATE.to_le_bytes());
    for half in [1_u16, 8] {
        wav.extend_from_slice(&half.to_le_bytes());
    }
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&samples.to_le_bytes());
    // 400 Hz at 8 kHz: ten samples up, ten down; silent every other half second.
    wav.extend((0..samples).map(|i| match (i / (RATE / 2) % 2, i / 10 % 2) {
        (0, 0) => 148_u8,
        (0, _) => 108,
        _ => 128,
    }));
    wav
}

//! Both fakes as people use them: by the page's own calls.

use sandbox::Sandbox;
use serde_json::Value;

/// Both fakes, as people use them.
pub struct Crms<'a> {
    pub sandbox: &'a Sandbox,
    pub client: reqwest::Client,
}

impl<'a> Crms<'a> {
    pub fn of(sandbox: &'a Sandbox) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, client }
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let base = if path.starts_with("lptracker") {
            &self.sandbox.lptracker_url
        } else {
            &self.sandbox.amocrm_url
        };
        let answer = self
            .client
            .post(format!("{base}/_sandbox/{path}"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> Value {
        let base = if path.starts_with("lptracker") {
            &self.sandbox.lptracker_url
        } else {
            &self.sandbox.amocrm_url
        };
        self.client
            .get(format!("{base}/_sandbox/{path}"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// Leads with a phone: id and name of the step.
    pub async fn leads(&self, phone: &str) -> Vec<(i64, String)> {
        let board = self.get("lptracker/board").await;
        let steps = board["steps"].as_array().unwrap().iter();
        steps
            .flat_map(|step| {
                step["leads"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(move |lead| (step, lead))
            })
            .filter(|(_, lead)| lead["phone"].as_str().is_some_and(|it| it.ends_with(&phone[1..])))
            .map(|(step, lead)| {
                (
                    lead["id"].as_i64().unwrap(),
                    step["name"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    }

    pub async fn step(&self, name: &str) -> i64 {
        let board = self.get("lptracker/board").await;
        let step = board["steps"]
            .as_array()
            .unwrap()
            .iter()
            .find(|step| step["name"] == name)
            .unwrap();
        step["id"].as_i64().unwrap()
    }
}

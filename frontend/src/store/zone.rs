//! Zones as tables of offsets, asked of the browser, which knows them all.

use domain::time::{Timestamp, Zone};
use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

use super::present;

const DAY: i64 = 86_400;
/// How far back and ahead offsets are looked up.
const REACH_DAYS: i64 = 3 * 366;
const STEP_DAYS: i64 = 30;

/// The zone of this browser, until the workspace's is known.
pub fn of_browser() -> Zone {
    table("местное время", |secs| {
        let date = Date::new(&JsValue::from_f64(secs as f64 * 1_000.0));
        Some(-(date.get_timezone_offset() as i32) * 60)
    })
    .unwrap_or_default()
}

/// A zone by its IANA name; `None` when the browser does not know it.
pub fn by_name(name: &str) -> Option<Zone> {
    let options = Object::new();
    Reflect::set(&options, &"timeZone".into(), &name.into()).ok()?;
    Reflect::set(&options, &"timeZoneName".into(), &"longOffset".into()).ok()?;
    // The constructor throws for a name it does not know, which `try_new` would have to catch: ask first.
    let known = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let make: Function = Reflect::get(&known, &"DateTimeFormat".into()).ok()?.into();
    let arguments = Array::of2(&"en-US".into(), &options);
    let format: Intl::DateTimeFormat = Reflect::construct(&make, &arguments).ok()?.into();
    let format = format.format();
    table(name, |secs| {
        let date = Date::new(&JsValue::from_f64(secs as f64 * 1_000.0));
        let text = format.call1(&JsValue::NULL, &date).ok()?.as_string()?;
        crate::clock::offset_in(&text)
    })
}

/// The offsets around now, with the second at which each begins.
fn table(name: &str, offset_at: impl Fn(i64) -> Option<i32>) -> Option<Zone> {
    let now = present().secs();
    let (start, end) = (now - REACH_DAYS * DAY, now + REACH_DAYS * DAY);
    let mut zone = Zone::fixed(name, offset_at(start)?);
    let mut at = start;
    while at < end {
        let next = at + STEP_DAYS * DAY;
        let offset = offset_at(next)?;
        if offset != zone.offset_secs(Timestamp::from_secs(i64::MAX / 2_000)) {
            let (mut low, mut high) = (at, next);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset_at(middle)? == offset {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            zone.transitions.push((high, offset));
        }
        at = next;
    }
    Some(zone)
}

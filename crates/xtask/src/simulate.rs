//! `cargo xtask simulate`: what so many accounts ask of so many processes, in virtual time.
//!
//! A model, not a measurement: accounts of three sizes send events at random and now and then thousands at once; the
//! hub takes what its processes and its database can, in turn over the accounts; every account's CRMs take what
//! their limits allow. Figures of the hub are arguments, so that measured ones can be put in. Everything comes from
//! the seed. The table says how busy the hub is, how long events wait for it, how long for the CRM, and what is the
//! first to have no room left.

use anyhow::{Result, bail};

/// Seconds of the busiest hour that are played; the first part fills the queues and is not counted.
const SECONDS: u32 = 900;
const WARM_UP: u32 = 300;
/// Events of an account per hour by size, with the share of accounts in percent: small, middling, large.
const SIZES: [(u64, f64); 3] = [(80, 20.0), (18, 300.0), (2, 3_000.0)];
/// An account starts a campaign, or imports a file, once in so many hours: so many events within a minute.
const HOURS_BETWEEN_BURSTS: f64 = 20.0;
const BURST: u32 = 1_500;
/// Events that a rule matches, in percent.
const MATCHED: u64 = 30;
/// What a matched event asks of LPTracker (search, contact, lead), which takes no arrays, and what it may take in a
/// second.
const LPTRACKER_REQUESTS: f64 = 3.0;
const LPTRACKER_LIMIT: f64 = 3.0;

/// What is asked for on the command line.
struct Wanted {
    accounts: Vec<usize>,
    processes: Vec<usize>,
    /// Events that one process takes the whole way in a second.
    per_process: f64,
    /// Events that one database takes the whole way in a second, whatever the processes.
    per_database: f64,
    databases: usize,
    seed: u64,
}

impl Wanted {
    fn read(args: &[String]) -> Result<Self> {
        let mut wanted = Self {
            accounts: vec![100, 1_000, 5_000, 10_000, 20_000],
            processes: vec![1, 2, 4],
            per_process: 500.0,
            per_database: 1_500.0,
            databases: 1,
            seed: 1,
        };
        for pair in args.chunks(2) {
            let [name, value] = pair else {
                bail!("у ключа {} нет значения", pair[0])
            };
            match name.as_str() {
                "--accounts" => wanted.accounts = vec![value.parse()?],
                "--processes" => wanted.processes = vec![value.parse()?],
                "--per-process" => wanted.per_process = value.parse()?,
                "--per-database" => wanted.per_database = value.parse()?,
                "--databases" => wanted.databases = value.parse()?,
                "--seed" => wanted.seed = value.parse()?,
                other => bail!("неизвестный ключ {other}"),
            }
        }
        Ok(wanted)
    }

    /// Events that the hub takes in a second.
    fn capacity(&self, processes: usize) -> f64 {
        let processes = processes as f64 * self.per_process;
        processes.min(self.databases as f64 * self.per_database)
    }
}

/// One customer: an amoCRM account and its LPTracker.
struct Account {
    /// Events in a second.
    rate: f64,
    /// What is left of a burst.
    burst: u32,
    /// Events that wait for the hub.
    waiting: f64,
    /// Deliveries that wait for the CRM.
    outgoing: f64,
}

/// What one row of the table says.
#[derive(Default)]
struct Outcome {
    busy: f64,
    n_events: f64,
    /// Seconds that an event waits for the hub: of each second the longest.
    hub_waits: Vec<f64>,
    /// Seconds until a delivery leaves, over all accounts with one waiting.
    crm_waits: Vec<f64>,
}

/// `cargo xtask simulate`.
pub fn main(args: &[String]) -> Result<()> {
    let wanted = Wanted::read(args)?;
    println!(
        "зерно {}; процесс {}/с, база {}/с, баз {}\n",
        wanted.seed, wanted.per_process, wanted.per_database, wanted.databases
    );
    println!(
        "| аккаунтов | процессов | событий/с | хаб занят | ждут хаб, p99, с | ждут CRM, p50 / p99, с | первым не хватает |"
    );
    println!("|---|---|---|---|---|---|---|");
    for accounts in &wanted.accounts {
        for processes in &wanted.processes {
            let outcome = play(*accounts, wanted.capacity(*processes), wanted.seed);
            println!("{}", row(&wanted, *accounts, *processes, outcome));
        }
    }
    Ok(())
}

fn row(wanted: &Wanted, accounts: usize, processes: usize, mut outcome: Outcome) -> String {
    let seconds = f64::from(SECONDS - WARM_UP);
    let hub = quantile(&mut outcome.hub_waits, 0.99);
    let lacking = if hub < 5.0 {
        "лимит LPTracker"
    } else if processes as f64 * wanted.per_process < wanted.databases as f64 * wanted.per_database {
        "процессы"
    } else {
        "база"
    };
    format!(
        "| {accounts} | {processes} | {:.0} | {:.0} % | {hub:.1} | {:.1} / {:.0} | {lacking} |",
        outcome.n_events / seconds,
        100.0 * outcome.busy / seconds,
        quantile(&mut outcome.crm_waits, 0.5),
        quantile(&mut outcome.crm_waits, 0.99),
    )
}

fn play(n_accounts: usize, capacity: f64, seed: u64) -> Outcome {
    let mut random = Random(seed);
    let mut accounts: Vec<Account> = (0..n_accounts).map(|_| Account::new(&mut random)).collect();
    let mut outcome = Outcome::default();
    for second in 0..SECONDS {
        let mut arrived = 0.0;
        for account in &mut accounts {
            arrived += account.arrive(&mut random);
        }
        let taken = take(&mut accounts, capacity);
        for account in &mut accounts {
            account.outgoing = (account.outgoing - LPTRACKER_LIMIT / LPTRACKER_REQUESTS).max(0.0);
        }
        if second >= WARM_UP {
            outcome.n_events += arrived;
            outcome.busy += taken / capacity;
            let left: f64 = accounts.iter().map(|account| account.waiting).sum();
            outcome.hub_waits.push(left / capacity);
            let waits = accounts.iter().filter(|account| account.outgoing > 0.0);
            outcome
                .crm_waits
                .extend(waits.map(|account| account.outgoing * LPTRACKER_REQUESTS / LPTRACKER_LIMIT));
        }
    }
    outcome
}

/// One second of the hub: everybody in turn, nobody more than an equal share while others wait. Returns how much.
fn take(accounts: &mut [Account], capacity: f64) -> f64 {
    let mut left = capacity;
    loop {
        let n_waiting = accounts.iter().filter(|account| account.waiting > 0.0).count();
        if n_waiting == 0 || left < 1e-6 {
            return capacity - left;
        }
        let share = left / n_waiting as f64;
        for account in accounts.iter_mut().filter(|account| account.waiting > 0.0) {
            let n = account.waiting.min(share);
            account.waiting -= n;
            account.outgoing += n * MATCHED as f64 / 100.0;
            left -= n;
        }
    }
}

impl Account {
    fn new(random: &mut Random) -> Self {
        let mut place = random.draw() % 100;
        let mut per_hour = SIZES[0].1;
        for (share, rate) in SIZES {
            if place < share {
                per_hour = rate;
                break;
            }
            place -= share;
        }
        Self {
            rate: per_hour / 3_600.0,
            burst: 0,
            waiting: 0.0,
            outgoing: 0.0,
        }
    }

    /// One second of people's work. Returns how many events.
    fn arrive(&mut self, random: &mut Random) -> f64 {
        if random.share() < 1.0 / (HOURS_BETWEEN_BURSTS * 3_600.0) {
            self.burst += BURST;
        }
        let of_burst = self.burst.min(BURST / 60);
        self.burst -= of_burst;
        let n = f64::from(random.poisson(self.rate) + of_burst);
        self.waiting += n;
        n
    }
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or(0.0)
}

/// `SplitMix64`: a seed decides everything.
struct Random(u64);

impl Random {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    fn share(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How often something happens that happens so often on average: for small averages.
    fn poisson(&mut self, mean: f64) -> u32 {
        let (limit, mut product, mut n) = ((-mean).exp(), self.share(), 0);
        while product > limit {
            product *= self.share();
            n += 1;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_plays_the_same_twice_and_another_otherwise() {
        let events = |seed| play(200, 500.0, seed).n_events;
        assert_eq!(events(1).to_bits(), events(1).to_bits());
        assert_ne!(events(1).to_bits(), events(2).to_bits());
    }

    #[test]
    fn nothing_is_taken_beyond_the_capacity_and_nothing_is_lost() {
        let mut random = Random(7);
        let mut accounts: Vec<Account> = (0..50).map(|_| Account::new(&mut random)).collect();
        accounts[0].waiting = 1_000.0;
        accounts[1].waiting = 3.0;
        let taken = take(&mut accounts, 100.0);
        assert!((taken - 100.0).abs() < 1e-6);
        assert!(accounts[1].waiting < 1e-6, "одно событие не ждёт за тысячей");
        assert!((accounts[0].waiting - 903.0).abs() < 1e-6);
    }

    #[test]
    fn more_than_the_hub_takes_waits() {
        let mut few = play(2_000, 5_000.0, 1);
        let mut many = play(2_000, 20.0, 1);
        assert!(quantile(&mut few.hub_waits, 0.99) < 1.0);
        assert!(quantile(&mut many.hub_waits, 0.99) > 60.0);
    }
}

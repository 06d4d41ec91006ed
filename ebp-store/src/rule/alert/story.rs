//! Devices that stop and start, servers that are away and clocks that are set: each episode is told once.

use proptest::prelude::*;

use super::{
    tests::{NOON, at, begun, facts, night, seconds},
    *,
};

/// What happens between two looks.
#[derive(Debug, Clone)]
enum Event {
    /// So many seconds pass.
    Wait(i64),
    /// So many seconds pass in which nobody looks.
    Away(i64),
    /// The clock is set by so many seconds.
    Set(i64),
    /// A device stops or starts to report.
    Turn(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..7_000_i64).prop_map(Event::Wait),
        1 => (1..40_000_i64).prop_map(Event::Away),
        1 => (-900_000..900_000_i64).prop_map(Event::Set),
        3 => (0..4_usize).prop_map(Event::Turn),
    ]
}

/// Devices, and what a store keeps of them.
struct World {
    now: Timestamp,
    running: [bool; 4],
    facts: Vec<DeviceFacts>,
    watching: Option<Watching>,
    episodes: Vec<Episode>,
    sent: Vec<Timestamp>,
    /// How often the beginning and the end of each episode were told.
    told: BTreeMap<Uuid, [u32; 2]>,
    next: u128,
}

impl World {
    fn new() -> Self {
        Self {
            now: at(NOON),
            running: [true; 4],
            facts: (0..4).map(facts).collect(),
            watching: None,
            episodes: Vec::new(),
            sent: Vec::new(),
            told: BTreeMap::new(),
            next: 0,
        }
    }

    /// Devices that run report every half hour, and somebody looks every minute.
    fn pass(&mut self, seconds_left: i64, looks: bool) {
        let mut left = seconds_left;
        while left > 0 {
            let step = left.min(600);
            left -= step;
            self.now += seconds(step);
            if !looks {
                // Nobody is there to hear them either.
                continue;
            }
            for (facts, runs) in self.facts.iter_mut().zip(self.running) {
                if runs {
                    (facts.last_report, facts.last_measurement) = (Some(self.now), Some(self.now));
                }
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let thresholds = AlertThresholds::default();
        let watching = Watching::look(self.watching, self.now, thresholds.longest_gap);
        self.watching = Some(watching);
        let next = &mut self.next;
        let new = || {
            *next += 1;
            Uuid::from_u128(*next)
        };
        let (begin, end) = changes(&self.facts, &self.episodes, &thresholds, watching, new);
        self.episodes.extend(begin.iter().map(|new| begun(new, self.now)));
        for episode in self.episodes.iter_mut().filter(|episode| end.contains(&episode.uuid)) {
            (episode.open, episode.end_untold) = (false, Some(self.now));
        }
        let open = self.episodes.iter().filter(|episode| episode.open);
        let mut pairs: Vec<_> = open.map(|episode| (episode.device, episode.kind)).collect();
        let count = pairs.len();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), count, "one episode of a device and kind is open");

        let policy = MessagePolicy { quiet: Some(night()), ..MessagePolicy::default() };
        let Some(message) = plan(&self.episodes, &self.sent, &policy, self.now) else { return };
        assert!(!night().is_quiet(self.now), "nothing is sent at {}", self.now);
        self.sent.push(self.now);
        for episode in &mut self.episodes {
            let counts = self.told.entry(episode.uuid).or_default();
            if message.begins.contains(&episode.uuid) {
                counts[0] += 1;
                episode.begin_untold = None;
            }
            if message.ends.contains(&episode.uuid) {
                assert_eq!(counts[0], 1, "an end is told after its beginning");
                counts[1] += 1;
                episode.end_untold = None;
            }
        }
        self.episodes.retain(|episode| {
            episode.open || episode.begin_untold.is_some() || episode.end_untold.is_some()
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// However devices stop and start, servers are away and clocks are set: each episode is told to
    /// begin and to end once, never in quiet hours; and a server that was away, or a clock that is
    /// set, makes no device silent that reports.
    #[test]
    fn each_episode_is_told_once(events in prop::collection::vec(event(), 1..60)) {
        let mut world = World::new();
        world.pass(600, true);
        let stops = events.iter().any(|event| matches!(event, Event::Turn(_)));
        for event in events {
            match event {
                Event::Wait(time) => world.pass(time, true),
                Event::Away(time) => world.pass(time, false),
                Event::Set(by) => world.now += seconds(by),
                Event::Turn(device) => world.running[device] ^= true,
            }
        }
        if !stops {
            prop_assert!(world.told.is_empty() && world.episodes.is_empty());
        }
        // In the end all report, for long enough that a digest comes, whatever the clock said.
        world.running = [true; 4];
        world.pass(3 * 86_400, true);
        prop_assert!(world.episodes.is_empty(), "{:?}", world.episodes);
        prop_assert!(world.told.values().all(|counts| *counts == [1, 1]), "{:?}", world.told);
    }

    /// A device that stops is told of within two cycles and a minute.
    #[test]
    fn a_device_that_stops_is_told_in_time(phase in 0..3600_i64, look in 1..20_i64) {
        let mut now = at(NOON);
        let mut watching = Some(Watching { looked_at: now, since: now - seconds(86_400) });
        let stopped = now;
        // Its last report was up to an hour before.
        let device = DeviceFacts { last_report: Some(now - seconds(phase)), ..facts(1) };
        let thresholds = AlertThresholds::default();
        loop {
            now += seconds(look);
            let looked = Watching::look(watching, now, thresholds.longest_gap);
            watching = Some(looked);
            let (begin, _) =
                changes(std::slice::from_ref(&device), &[], &thresholds, looked, Uuid::nil);
            if !begin.is_empty() {
                break;
            }
        }
        prop_assert!(now.duration_since(stopped) <= seconds(7260), "{now}");
    }
}

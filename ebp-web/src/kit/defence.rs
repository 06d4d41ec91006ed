//! The defences of pages, by name, so that a test can switch one off and see its attack succeed.
//!
//! Only builds with the feature `defences-off` have the switch; others compile each question to
//! `true`. That feature is refused in builds without debug assertions, which release and device builds
//! are.

#[cfg(all(feature = "defences-off", not(debug_assertions)))]
compile_error!("`defences-off` is for tests: no build that is handed out may have it");

/// A defence against one kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Defence {
    /// Text becomes no markup.
    Escape,
    /// The content security policy, and the ban on frames.
    Policy,
    /// Only own names are answered.
    Host,
    /// Only own pages may change something.
    Origin,
    /// Forms carry what only pages of the session know.
    FormToken,
    /// A cookie that is there twice counts as none.
    SingleCookie,
    /// Signing out ends the session at the server.
    SessionEnd,
    /// Who guesses codes has to wait.
    GuessWait,
    /// After signing in only own pages are led to.
    OwnTargets,
    /// Only what belongs to the household is asked for.
    OwnThings,
    /// Bodies are bounded.
    BodyLimit,
    /// Connections that say nothing give way.
    HeaderTime,
    /// After a lost answer the state is asked for.
    AskAgain,
    /// Browsers keep no page.
    NoStore,
}

#[cfg(not(feature = "defences-off"))]
impl Defence {
    /// Whether it is on: always.
    #[must_use]
    pub const fn is_on(self) -> bool {
        let _ = self;
        true
    }
}

#[cfg(feature = "defences-off")]
mod switch {
    use std::sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    };

    use super::Defence;

    static OFF: AtomicU32 = AtomicU32::new(0);
    static ONE_TEST: Mutex<()> = Mutex::new(());

    impl Defence {
        /// Whether it is on.
        #[must_use]
        pub fn is_on(self) -> bool {
            OFF.load(Ordering::Relaxed) & self.bit() == 0
        }

        const fn bit(self) -> u32 {
            1 << self as u8
        }
    }

    /// The defences of the whole process are this test's until it is dropped.
    pub struct Defences(#[allow(dead_code, reason = "it holds the lock")] MutexGuard<'static, ()>);

    impl Defences {
        /// Waits until no other test changes them; all are on.
        #[must_use]
        pub fn take() -> Self {
            let guard = ONE_TEST.lock().unwrap_or_else(PoisonError::into_inner);
            OFF.store(0, Ordering::Relaxed);
            Self(guard)
        }

        /// Switches exactly those off.
        pub fn switch_off(&self, defences: &[Defence]) {
            let off = defences.iter().fold(0, |off, defence| off | defence.bit());
            OFF.store(off, Ordering::Relaxed);
        }
    }

    impl Drop for Defences {
        fn drop(&mut self) {
            OFF.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(feature = "defences-off")]
pub use switch::Defences;

//! The techniques that a level may use, and small sets of them.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A level of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// [`gemini_original`](crate::gemini_original).
    Original,
    /// [`gemini_optimized`](crate::gemini_optimized).
    Optimized,
    /// [`gemini_ultra_optimized`](crate::gemini_ultra_optimized).
    Ultra,
    /// [`gemini_bare_http`](crate::gemini_bare_http).
    Bare,
    /// `gemini_libcurl`, which is there with the feature `libcurl`.
    Libcurl,
    /// [`gemini_mux`](crate::gemini_mux).
    Mux,
    /// [`gemini_process_isolated`](crate::gemini_process_isolated).
    Isolated,
    /// [`gemini_proxied`](crate::gemini_proxied).
    Proxied,
}

impl Level {
    /// The name as reports and command lines write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Optimized => "optimized",
            Self::Ultra => "ultra",
            Self::Bare => "bare",
            Self::Libcurl => "libcurl",
            Self::Mux => "mux",
            Self::Isolated => "isolated",
            Self::Proxied => "proxied",
        }
    }

    /// The techniques that this level can switch.
    pub const fn techniques(self) -> &'static [Technique] {
        use Technique::*;
        match self {
            Self::Original | Self::Libcurl | Self::Mux | Self::Isolated | Self::Proxied => &[],
            Self::Bare => &[LeanRecords],
            Self::Optimized => &[ObjectPooling, LazyComponents, SmallPool],
            Self::Ultra => &[
                StackFirstBuffers,
                ZeroCopyBody,
                StreamingJson,
                Http1Only,
                NoIdleConnections,
                ReusableScratch,
                OnceLockModels,
                SmallVecUrl,
                MinimalClientState,
            ],
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        const ALL: [Level; 8] = [
            Level::Original,
            Level::Optimized,
            Level::Ultra,
            Level::Bare,
            Level::Libcurl,
            Level::Mux,
            Level::Isolated,
            Level::Proxied,
        ];
        ALL.into_iter().find(|level| level.name() == text).ok_or_else(|| {
            let known = ALL.map(Self::name).join(", ");
            Error::config(format!("unknown level {text:?}: use one of {known}"))
        })
    }
}

/// Something that a level does to save memory and that can be switched off. Not each of them saves: that is what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Technique {
    /// `optimized`: buffers for bodies are kept, a bounded number of bounded size, and used again by later requests.
    ObjectPooling,
    /// `optimized`: the HTTP client (roots, TLS, pool) is built by the first request instead of by the constructor.
    LazyComponents,
    /// `optimized`: at most two idle connections, for at most 15 s, instead of any number for 90 s.
    SmallPool,
    /// `ultra`: what must be gathered of an answer is gathered in the future itself first, on the heap only when it outgrows 1 KiB.
    StackFirstBuffers,
    /// `ultra`: bodies are read where the transport left them instead of being copied together first.
    ZeroCopyBody,
    /// `ultra`: an answer is read into its types as its bytes arrive, instead of being gathered whole and read by way of a
    /// [`serde_json::Value`].
    StreamingJson,
    /// `ultra`: HTTP/2 is not offered. An explicit [`Protocol`](crate::Protocol) is stronger.
    Http1Only,
    /// `ultra`: no connection outlives its request, so none costs memory between requests, and each request pays for a handshake.
    NoIdleConnections,
    /// `ultra`: the request is written into memory that the provider keeps from request to request.
    ReusableScratch,
    /// `ultra`: the default model's addresses are parsed once and kept in a [`OnceLock`](std::sync::OnceLock).
    OnceLockModels,
    /// `ultra`: an address that must be composed is composed on the stack.
    SmallVecUrl,
    /// `ultra`: the HTTP client keeps no table of default headers, looks for no proxy in the environment, and remembers TLS sessions
    /// of one server instead of 32.
    MinimalClientState,
    /// `bare`: after a TLS 1.3 handshake a connection keeps two AEAD keys of rustls's and next to nothing else; records are framed by the
    /// level itself. Without it they are rustls's, as they are over TLS 1.2. Traffic keys leave rustls's connection for it (within the process), and
    /// a connection follows two updates of its keys in each direction, no more.
    LeanRecords,
}

impl Technique {
    const ALL: [Self; 13] = [
        Self::ObjectPooling,
        Self::LazyComponents,
        Self::SmallPool,
        Self::StackFirstBuffers,
        Self::ZeroCopyBody,
        Self::StreamingJson,
        Self::Http1Only,
        Self::NoIdleConnections,
        Self::ReusableScratch,
        Self::OnceLockModels,
        Self::SmallVecUrl,
        Self::MinimalClientState,
        Self::LeanRecords,
    ];

    /// The name as command lines write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ObjectPooling => "object-pooling",
            Self::LazyComponents => "lazy-components",
            Self::SmallPool => "small-pool",
            Self::StackFirstBuffers => "stack-first-buffers",
            Self::ZeroCopyBody => "zero-copy-body",
            Self::StreamingJson => "streaming-json",
            Self::Http1Only => "http1-only",
            Self::NoIdleConnections => "no-idle-connections",
            Self::ReusableScratch => "reusable-scratch",
            Self::OnceLockModels => "once-lock-models",
            Self::SmallVecUrl => "small-vec-url",
            Self::MinimalClientState => "minimal-client-state",
            Self::LeanRecords => "lean-records",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl fmt::Display for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of techniques; by default whatever the level does by itself, which is all of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Techniques(Option<u16>);

impl Techniques {
    /// None at all.
    pub const NONE: Self = Self(Some(0));

    /// Every technique that `level` can switch: what the level does by default.
    pub const fn all(level: Level) -> Self {
        let list = level.techniques();
        let (mut bits, mut at) = (0, 0);
        while at < list.len() {
            bits |= list[at].bit();
            at += 1;
        }
        Self(Some(bits))
    }

    /// Reads a list as a command line has it: `default` leaves them as the level sets them, an empty one switches all off,
    /// otherwise names with commas between them.
    ///
    /// # Errors
    ///
    /// A name that `level` does not know; the error lists those that it does.
    pub fn parse(text: &str, level: Level) -> Result<Self, Error> {
        if text.trim() == "default" {
            return Ok(Self::default());
        }
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).try_fold(Self::NONE, |set, name| {
            match level.techniques().iter().find(|technique| technique.name() == name) {
                Some(technique) => Ok(set.with(*technique)),
                None => Err(Error::config(format!("{level} has no technique {name:?}: {}", known(level)))),
            }
        })
    }

    /// This set and `technique`. Starting from the default of no particular level, only `technique`.
    #[must_use]
    pub const fn with(self, technique: Technique) -> Self {
        let bits = match self.0 {
            Some(bits) => bits,
            None => 0,
        };
        Self(Some(bits | technique.bit()))
    }

    /// This set without `technique`; to leave one out of a level's own, start from [`Techniques::all`].
    #[must_use]
    pub const fn without(self, technique: Technique) -> Self {
        match self.0 {
            Some(bits) => Self(Some(bits & !technique.bit())),
            None => self,
        }
    }

    /// Whether `technique` is in the set. The default, before a level has taken it for its own, has none.
    pub const fn contains(self, technique: Technique) -> bool {
        match self.0 {
            Some(bits) => bits & technique.bit() != 0,
            None => false,
        }
    }

    /// The techniques in the set.
    pub fn iter(self) -> impl Iterator<Item = Technique> {
        Technique::ALL.into_iter().filter(move |technique| self.contains(*technique))
    }

    /// The set as `level` will use it: its own by default, and nothing that it does not know.
    pub(crate) fn of(self, level: Level) -> Result<Self, Error> {
        if self.0.is_none() {
            return Ok(Self::all(level));
        }
        match self.iter().find(|technique| !level.techniques().contains(technique)) {
            Some(stranger) => {
                Err(Error::config(format!("{level} has no technique {:?}: {}", stranger.name(), known(level))))
            }
            None => Ok(self),
        }
    }
}

fn known(level: Level) -> String {
    let names: Vec<_> = level.techniques().iter().map(|technique| technique.name()).collect();
    if names.is_empty() { "it has none to switch".to_owned() } else { format!("use {}", names.join(", ")) }
}

impl fmt::Debug for Techniques {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("Techniques(default)"),
            Some(_) => f.debug_set().entries(self.iter()).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technique_belongs_to_one_level_and_has_its_own_bit() {
        let mut seen = 0_u16;
        for technique in Technique::ALL {
            assert_eq!(seen & technique.bit(), 0, "{technique}");
            seen |= technique.bit();
            let owners = [Level::Original, Level::Optimized, Level::Ultra, Level::Bare]
                .into_iter()
                .filter(|level| level.techniques().contains(&technique))
                .count();
            assert_eq!(owners, 1, "{technique}");
        }
    }

    #[test]
    fn parse_reads_default_empty_and_names() {
        assert_eq!(Techniques::parse("default", Level::Ultra).unwrap(), Techniques::default());
        assert_eq!(Techniques::parse("", Level::Ultra).unwrap(), Techniques::NONE);
        let two = Techniques::parse("http1-only, streaming-json", Level::Ultra).unwrap();
        assert_eq!(two.iter().collect::<Vec<_>>(), [Technique::StreamingJson, Technique::Http1Only]);
    }

    #[test]
    fn parse_names_what_the_level_knows() {
        let error = Techniques::parse("http1-only", Level::Optimized).unwrap_err().to_string();
        assert!(error.contains("object-pooling, lazy-components, small-pool"), "{error}");
        let error = Techniques::parse("object-pooling", Level::Original).unwrap_err().to_string();
        assert!(error.contains("none to switch"), "{error}");
    }

    #[test]
    fn a_level_takes_the_default_for_its_own_and_refuses_strangers() {
        assert_eq!(Techniques::default().of(Level::Ultra).unwrap(), Techniques::all(Level::Ultra));
        assert_eq!(Techniques::NONE.of(Level::Ultra).unwrap(), Techniques::NONE);
        assert!(Techniques::NONE.with(Technique::SmallPool).of(Level::Ultra).is_err());
        let rest = Techniques::all(Level::Ultra).without(Technique::Http1Only);
        assert_eq!(rest.iter().count(), 8);
    }
}

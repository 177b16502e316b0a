//! How speech and images are made.

use serde::{Deserialize, Serialize};

use super::extra::{Extra, null_is_default};

/// How speech is made: with one voice, or with one for each speaker.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpeechConfig {
    /// The only voice.
    #[serde(alias = "voice_config", default, skip_serializing_if = "Option::is_none")]
    pub voice_config: Option<VoiceConfig>,
    /// A voice for each speaker.
    #[serde(alias = "multi_speaker_voice_config", default, skip_serializing_if = "Option::is_none")]
    pub multi_speaker_voice_config: Option<MultiSpeakerVoiceConfig>,
    /// The language, e.g. `de-DE`.
    #[serde(alias = "language_code", default, skip_serializing_if = "Option::is_none")]
    pub language_code: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl SpeechConfig {
    /// Speech by one of the API's own voices, e.g. `Kore`.
    pub fn voice(name: impl Into<String>) -> Self {
        Self { voice_config: Some(VoiceConfig::prebuilt(name)), ..Self::default() }
    }
}

/// A voice.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoiceConfig {
    /// One of the API's own.
    #[serde(alias = "prebuilt_voice_config", default, skip_serializing_if = "Option::is_none")]
    pub prebuilt_voice_config: Option<PrebuiltVoiceConfig>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl VoiceConfig {
    /// One of the API's own voices.
    pub fn prebuilt(name: impl Into<String>) -> Self {
        let voice = PrebuiltVoiceConfig { voice_name: Some(name.into()), extra: Extra::default() };
        Self { prebuilt_voice_config: Some(voice), extra: Extra::default() }
    }
}

/// One of the API's own voices.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrebuiltVoiceConfig {
    /// Its name.
    #[serde(alias = "voice_name", default, skip_serializing_if = "Option::is_none")]
    pub voice_name: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A voice for each speaker.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MultiSpeakerVoiceConfig {
    /// The speakers.
    #[serde(
        alias = "speaker_voice_configs",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub speaker_voice_configs: Vec<SpeakerVoiceConfig>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The voice of one speaker.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpeakerVoiceConfig {
    /// The speaker, as the prompt names him.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// The voice.
    #[serde(alias = "voice_config", default, skip_serializing_if = "Option::is_none")]
    pub voice_config: Option<VoiceConfig>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How images are made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageConfig {
    /// Width to height, e.g. `16:9`.
    #[serde(alias = "aspect_ratio", default, skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// `1K`, `2K`, `4K`.
    #[serde(alias = "image_size", default, skip_serializing_if = "Option::is_none")]
    pub image_size: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

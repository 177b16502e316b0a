//! The API's enums, all of them open: a name or number that is not known here is kept, not an error.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $wire:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("`", $wire, "`.")] $variant,)+
            /// A name that this crate does not know.
            Other(Box<str>),
            /// A number, as some serialisers write enums.
            Number(i64),
        }

        impl $name {
            /// The name on the wire, if it has one.
            pub fn as_str(&self) -> Option<&str> {
                match self {
                    $(Self::$variant => Some($wire),)+
                    Self::Other(name) => Some(name),
                    Self::Number(_) => None,
                }
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                match name {
                    $($wire => Self::$variant,)+
                    other => Self::Other(other.into()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Number(number) => number.fmt(f),
                    named => f.write_str(named.as_str().unwrap_or_default()),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::Number(number) => serializer.serialize_i64(*number),
                    named => serializer.serialize_str(named.as_str().unwrap_or_default()),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct NameOrNumber;

                impl Visitor<'_> for NameOrNumber {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a name or a number")
                    }

                    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<$name, E> {
                        Ok(name.into())
                    }

                    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<$name, E> {
                        Ok($name::Number(number))
                    }

                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$name, E> {
                        i64::try_from(number).map($name::Number).map_err(E::custom)
                    }
                }

                deserializer.deserialize_any(NameOrNumber)
            }
        }
    };
}

open_enum! {
    /// Why a candidate ended.
    FinishReason {
        /// A natural end or a stop sequence.
        Stop = "STOP",
        /// The limit of tokens.
        MaxTokens = "MAX_TOKENS",
        /// Safety filters.
        Safety = "SAFETY",
        /// Too close to existing text.
        Recitation = "RECITATION",
        /// A language that is not supported.
        Language = "LANGUAGE",
        /// Another reason.
        OtherReason = "OTHER",
        /// A forbidden term.
        Blocklist = "BLOCKLIST",
        /// Prohibited content.
        ProhibitedContent = "PROHIBITED_CONTENT",
        /// Personal information.
        Spii = "SPII",
        /// The model wrote a function call that cannot be read.
        MalformedFunctionCall = "MALFORMED_FUNCTION_CALL",
        /// The image was refused by safety filters.
        ImageSafety = "IMAGE_SAFETY",
        /// The model called a tool that it was not given.
        UnexpectedToolCall = "UNEXPECTED_TOOL_CALL",
        /// Too many tool calls in a row.
        TooManyToolCalls = "TOO_MANY_TOOL_CALLS",
        /// Not set.
        Unspecified = "FINISH_REASON_UNSPECIFIED",
    }
}

open_enum! {
    /// Why a prompt was blocked.
    BlockReason {
        /// Safety filters.
        Safety = "SAFETY",
        /// Another reason.
        OtherReason = "OTHER",
        /// A forbidden term.
        Blocklist = "BLOCKLIST",
        /// Prohibited content.
        ProhibitedContent = "PROHIBITED_CONTENT",
        /// The image was refused by safety filters.
        ImageSafety = "IMAGE_SAFETY",
        /// Not set.
        Unspecified = "BLOCK_REASON_UNSPECIFIED",
    }
}

open_enum! {
    /// A category of harm.
    HarmCategory {
        /// Harassment.
        Harassment = "HARM_CATEGORY_HARASSMENT",
        /// Hate speech.
        HateSpeech = "HARM_CATEGORY_HATE_SPEECH",
        /// Sexually explicit content.
        SexuallyExplicit = "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        /// Dangerous content.
        DangerousContent = "HARM_CATEGORY_DANGEROUS_CONTENT",
        /// Content that harms civic integrity.
        CivicIntegrity = "HARM_CATEGORY_CIVIC_INTEGRITY",
        /// Not set.
        Unspecified = "HARM_CATEGORY_UNSPECIFIED",
    }
}

open_enum! {
    /// From which probability of harm on content is blocked.
    HarmBlockThreshold {
        /// From low on.
        LowAndAbove = "BLOCK_LOW_AND_ABOVE",
        /// From medium on.
        MediumAndAbove = "BLOCK_MEDIUM_AND_ABOVE",
        /// Only high.
        OnlyHigh = "BLOCK_ONLY_HIGH",
        /// Nothing is blocked.
        None = "BLOCK_NONE",
        /// The filter is off.
        Off = "OFF",
        /// Not set.
        Unspecified = "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
    }
}

open_enum! {
    /// How probable harm is.
    HarmProbability {
        /// Negligible.
        Negligible = "NEGLIGIBLE",
        /// Low.
        Low = "LOW",
        /// Medium.
        Medium = "MEDIUM",
        /// High.
        High = "HIGH",
        /// Not set.
        Unspecified = "HARM_PROBABILITY_UNSPECIFIED",
    }
}

open_enum! {
    /// A kind of content.
    Modality {
        /// Text.
        Text = "TEXT",
        /// Images.
        Image = "IMAGE",
        /// Sound.
        Audio = "AUDIO",
        /// Moving images.
        Video = "VIDEO",
        /// Documents, e.g. PDF.
        Document = "DOCUMENT",
        /// Not set.
        Unspecified = "MODALITY_UNSPECIFIED",
    }
}

open_enum! {
    /// The language of code that the model runs.
    Language {
        /// Python.
        Python = "PYTHON",
        /// Not set.
        Unspecified = "LANGUAGE_UNSPECIFIED",
    }
}

open_enum! {
    /// How running the model's code went.
    Outcome {
        /// It ran.
        Ok = "OUTCOME_OK",
        /// It failed; the output holds its standard error.
        Failed = "OUTCOME_FAILED",
        /// It took too long.
        DeadlineExceeded = "OUTCOME_DEADLINE_EXCEEDED",
        /// Not set.
        Unspecified = "OUTCOME_UNSPECIFIED",
    }
}

open_enum! {
    /// What an embedding is for.
    TaskType {
        /// A question that documents are looked for with.
        RetrievalQuery = "RETRIEVAL_QUERY",
        /// A document that is looked for.
        RetrievalDocument = "RETRIEVAL_DOCUMENT",
        /// To see how alike texts are.
        SemanticSimilarity = "SEMANTIC_SIMILARITY",
        /// To sort texts into kinds that are given.
        Classification = "CLASSIFICATION",
        /// To find kinds of texts.
        Clustering = "CLUSTERING",
        /// To answer questions.
        QuestionAnswering = "QUESTION_ANSWERING",
        /// To check facts.
        FactVerification = "FACT_VERIFICATION",
        /// A question that code is looked for with.
        CodeRetrievalQuery = "CODE_RETRIEVAL_QUERY",
        /// Not set.
        Unspecified = "TASK_TYPE_UNSPECIFIED",
    }
}

open_enum! {
    /// Whether a file can be used.
    FileState {
        /// Not yet.
        Processing = "PROCESSING",
        /// It can.
        Active = "ACTIVE",
        /// It cannot, and never will.
        Failed = "FAILED",
        /// Not set.
        Unspecified = "STATE_UNSPECIFIED",
    }
}

open_enum! {
    /// Where a file came from.
    FileSource {
        /// It was uploaded.
        Uploaded = "UPLOADED",
        /// A model made it.
        Generated = "GENERATED",
        /// It was registered where it lies.
        Registered = "REGISTERED",
        /// Not set.
        Unspecified = "SOURCE_UNSPECIFIED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_unknown_and_numbers_come_back_as_they_were() {
        let text = r#"["STOP","OTHER","A_REASON_OF_TOMORROW",7,-1]"#;
        let read: Vec<FinishReason> = serde_json::from_str(text).unwrap();
        let other = FinishReason::Other("A_REASON_OF_TOMORROW".into());
        assert_eq!(
            read,
            [FinishReason::Stop, FinishReason::OtherReason, other, FinishReason::Number(7), FinishReason::Number(-1)]
        );
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in ["{}", "[]", "true", "1.5"] {
            assert!(serde_json::from_str::<FinishReason>(text).is_err(), "{text}");
        }
    }
}

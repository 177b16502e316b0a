//! A provider whose level is chosen while the program runs.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;

use crate::call::{Call, Reply};
use crate::error::Error;
use crate::provider::Provider;
use crate::types::{GenerateContentRequest, GenerateContentResponse};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;
type OnEvent<'a> = &'a mut (dyn FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send);

/// Any level behind one type, for what [`Provider`] cannot be by itself: a field, a list, a choice made from a configuration file.
///
/// It is a [`Provider`] too. Each call boxes one future, which is what static dispatch spares; a clone shares the provider.
///
/// ```no_run
/// use plimsoll_providers::gemini_optimized::OptimizedGeminiProvider;
/// use plimsoll_providers::gemini_original::GeminiProvider;
/// use plimsoll_providers::{Config, DynProvider, Error};
///
/// # async fn example(config: Config, thrifty: bool) -> Result<DynProvider, Error> {
/// Ok(if thrifty {
///     DynProvider::new(OptimizedGeminiProvider::new(config).await?)
/// } else {
///     DynProvider::new(GeminiProvider::new(config).await?)
/// })
/// # }
/// ```
#[derive(Clone)]
pub struct DynProvider(Arc<dyn Dispatch>);

impl DynProvider {
    /// Puts a provider behind this type.
    pub fn new(provider: impl Provider) -> Self {
        Self(Arc::new(provider))
    }
}

impl fmt::Debug for DynProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DynProvider(model {:?})", self.default_model())
    }
}

impl Provider for DynProvider {
    async fn generate(&self, request: &GenerateContentRequest) -> Result<GenerateContentResponse, Error> {
        self.0.generate_boxed(request).await
    }

    async fn stream<F>(&self, request: &GenerateContentRequest, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        self.0.stream_boxed(request, &mut on_event).await
    }

    async fn call(&self, call: &Call) -> Result<Reply, Error> {
        self.0.call_boxed(call).await
    }

    fn default_model(&self) -> &str {
        self.0.model_name()
    }
}

/// What a level must do, with its futures in boxes.
trait Dispatch: Send + Sync {
    fn generate_boxed<'a>(&'a self, request: &'a GenerateContentRequest) -> Boxed<'a, GenerateContentResponse>;
    fn stream_boxed<'a>(&'a self, request: &'a GenerateContentRequest, on_event: OnEvent<'a>) -> Boxed<'a, ()>;
    fn call_boxed<'a>(&'a self, call: &'a Call) -> Boxed<'a, Reply>;
    fn model_name(&self) -> &str;
}

impl<P: Provider> Dispatch for P {
    fn generate_boxed<'a>(&'a self, request: &'a GenerateContentRequest) -> Boxed<'a, GenerateContentResponse> {
        Box::pin(self.generate(request))
    }

    fn stream_boxed<'a>(&'a self, request: &'a GenerateContentRequest, on_event: OnEvent<'a>) -> Boxed<'a, ()> {
        Box::pin(self.stream(request, on_event))
    }

    fn call_boxed<'a>(&'a self, call: &'a Call) -> Boxed<'a, Reply> {
        Box::pin(self.call(call))
    }

    fn model_name(&self) -> &str {
        self.default_model()
    }
}

//! A program that is no client: what it does at `runtime` and at `client` is all that it does.

use crate::allocator::Allocator;
use crate::session::{Commanded, out_of_order, serve};
use crate::work::Tally;
use crate::{About, Failure, session::Command};

/// Speaks the protocol like [`run`](crate::run), for a program without a client and without the worker's runtime, which is then not linked
/// either: `runtime` makes what the command of that name is to make, `client` what comes after it. Both are kept until `drop`. It asks
/// nothing, so it is measured in the scenario `client`.
///
/// Call it first in `main`.
pub fn steps<A: Allocator, R, C>(
    about: About,
    runtime: impl Fn() -> Result<R, Failure>,
    client: impl Fn(&R) -> Result<C, Failure>,
) -> ! {
    serve::<A>(about, Steps { runtime, client, made: None })
}

struct Steps<R, C, NewRuntime, NewClient> {
    runtime: NewRuntime,
    client: NewClient,
    made: Option<(R, Option<C>)>,
}

impl<R, C, NewRuntime, NewClient> Commanded for Steps<R, C, NewRuntime, NewClient>
where
    NewRuntime: Fn() -> Result<R, Failure>,
    NewClient: Fn(&R) -> Result<C, Failure>,
{
    fn carry_out(&mut self, command: Command) -> Result<Option<Tally>, Failure> {
        match command {
            Command::Runtime => self.made = Some(((self.runtime)()?, None)),
            Command::Client => {
                let (runtime, client) = self.made.as_mut().ok_or_else(|| out_of_order("runtime"))?;
                *client = Some((self.client)(runtime)?);
            }
            Command::Requests(..) => {
                return Err(Failure::unsupported("this program asks nothing: measure it in the scenario `client`"));
            }
            Command::Drop => {
                let (runtime, client) = self.made.take().ok_or_else(|| out_of_order("runtime"))?;
                drop(client);
                drop(runtime);
            }
            Command::Idle | Command::Exit => {}
        }
        Ok(None)
    }
}

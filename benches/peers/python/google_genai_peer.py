"""`google-genai`, Google's own SDK for Python. The roots are those of `SSL_CERT_FILE`, which it reads itself."""
from conversation import Refused, converse


class Peer:
    def load(self):
        from google import genai

        self.genai = genai

    def open(self, env):
        self.model, self.prompt = env["PLIMSOLL_MODEL"], env["PLIMSOLL_PROMPT"]
        options = self.genai.types.HttpOptions(base_url=env["PLIMSOLL_BASE_URL"], timeout=60_000)
        self.client = self.genai.Client(api_key=env["GEMINI_API_KEY"], http_options=options)

    def chat(self):
        yield self.ask(self.client.models.generate_content).text or ""

    def stream(self):
        try:
            for event in self.ask(self.client.models.generate_content_stream):
                yield event.text or ""
        except self.genai.errors.APIError as error:
            raise Refused(f"HTTP {error.code}") from None

    def ask(self, method):
        try:
            return method(model=self.model, contents=self.prompt)
        except self.genai.errors.APIError as error:
            raise Refused(f"HTTP {error.code}") from None

    def close(self):
        self.client.close()
        del self.client


converse("google-genai", "google-genai", Peer())

import os, sys
env = os.environ
methods = {"chat": "generateContent", "stream": "streamGenerateContent?alt=sse"}
print(f"plimsoll 1 subject=python allocator=system profile=release build={sys.version.split()[0]}", flush=True)

class Refused(Exception): pass

def ask(method):                                        # one request: the CRC-32 of its answer's text
    if not hasattr(here, "connection"):                 # one connection for each thread, kept alive
        here.connection = HTTPSConnection(url.netloc, context=tls) if tls else HTTPConnection(url.netloc)
    here.connection.request("POST", f"{url.path}/v1beta/models/{env['PLIMSOLL_MODEL']}:{method}", body, headers)
    response, crc = here.connection.getresponse(), 0
    if response.status != 200:
        response.read()                                 # or the connection takes no other request
        raise Refused(f"HTTP {response.status}")
    events = [response.read()] if method == methods["chat"] else (line[5:] for line in response if line[:5] == b"data:")
    for event in events:                                # an event without candidates is an error
        for part in json.loads(event)["candidates"][0].get("content", {}).get("parts", []):
            crc = zlib.crc32(b"" if part.get("thought") else part.get("text", "").encode(), crc)
    return crc

for line in sys.stdin:
    (command, *numbers), answer = line.split(), "ok"
    try:
        if command == "runtime":
            import json, ssl, threading, zlib
            from concurrent.futures import ThreadPoolExecutor
            from http.client import HTTPConnection, HTTPException, HTTPSConnection
            from urllib.parse import urlsplit
            if env.get("PLIMSOLL_HTTP") == "h2":
                answer = "unsupported http.client speaks HTTP/1.1 only"
        elif command == "client":
            url, here = urlsplit(env["PLIMSOLL_BASE_URL"]), threading.local()
            tls = ssl.create_default_context(cafile=env["PLIMSOLL_CA"]) if url.scheme == "https" else None
            body = json.dumps({"contents": [{"role": "user", "parts": [{"text": env["PLIMSOLL_PROMPT"]}]}]})
            headers = {"Content-Type": "application/json", "x-goog-api-key": env["GEMINI_API_KEY"]}
        elif command in methods:
            requests, in_flight = map(int, numbers)
            with ThreadPoolExecutor(in_flight) as pool:     # starts no thread before it is used
                crcs = list((map if in_flight == 1 else pool.map)(ask, [methods[command]] * requests))
            answer = f"ok answered={requests} crc={sum(crcs)} protocol=h1"
        elif command == "drop":
            del here, tls
        elif command == "exit":
            break
        elif command != "idle":
            answer = f"unsupported {command}"
    except (Refused, OSError, HTTPException) as error:
        kind = "status" if isinstance(error, Refused) else "timeout" if isinstance(error, TimeoutError) else "transport"
        answer = " ".join(f"error {kind} {error}".split())
    except Exception as error:                          # its name only: its words might quote a header, and so the key
        answer = f"error answer {type(error).__name__}"
    print(answer, flush=True)

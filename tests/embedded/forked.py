"""What the tests of the fork server have it run."""

import os
import signal
import subprocess
import sys
import time


def main() -> None:
    match sys.argv[1:]:
        case ["say", name]:
            print(os.environ.get(name), flush=True)
        case ["exit", status]:
            sys.exit(int(status))
        case ["stay"]:
            print("here", flush=True)
            time.sleep(300)
        case ["stay with a child"]:
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
            print(child.pid, flush=True)
            time.sleep(300)
        case ["serve"]:
            from dashcam.embedded.listening import LISTEN, inherited

            listening = inherited()
            assert listening is not None and LISTEN not in os.environ
            while True:
                with listening.accept()[0] as caller:
                    caller.send(str(os.getpid()).encode())
        case ["deaf"]:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("here", flush=True)
            time.sleep(300)
        case ["ask for one", log]:
            from dashcam.embedded.forkserver import ForkServer

            server = ForkServer.inherited()
            assert server is not None
            with open(log, "ab") as file:  # noqa: PTH123
                process = server.start([__name__, "stay"], os.environ, file.fileno())
                print(process.pid, flush=True)
                time.sleep(300)


if __name__ == "__main__":
    main()

"""A neighbour: sqlalchemy-dlock, told by lines on standard input what to do.

    new text|bytes|int KEY [shared] [xact]   a lock on a key (text and bytes in hexadecimal)
    acquire no|forever|SECONDS               true or false
    release | commit                         ok
"""

import sys

from sqlalchemy import create_engine
from sqlalchemy_dlock import create_sadlock

KEYS = {"text": lambda key: bytes.fromhex(key).decode(), "bytes": bytes.fromhex, "int": int}


def new(kind, key, *modes):
    global lock
    lock = create_sadlock(connection, KEYS[kind](key), **{mode: True for mode in modes})


def acquire(wait):
    if wait == "no":
        return lock.acquire(False)
    return lock.acquire(timeout=None if wait == "forever" else float(wait))


def commit():
    global lock
    connection.commit()
    lock = None


def say(word):
    print(word, flush=True)


connection = create_engine(sys.argv[1]).connect()
lock = None
say("ready")
for line in sys.stdin:
    verb, *words = line.split()
    match verb:
        case "new":
            say(new(*words) or "ok")
        case "acquire":
            say("true" if acquire(*words) else "false")
        case "release":
            say(lock.release() or "ok")
        case "commit":
            say(commit() or "ok")

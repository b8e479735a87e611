-- What each service remembers. `calls` holds one row per idempotency key: its attempts, and its answer once there is one.

CREATE TABLE IF NOT EXISTS calls (
    idempotency_key TEXT PRIMARY KEY,
    method          TEXT NOT NULL,
    request         TEXT NOT NULL,
    attempts        INTEGER NOT NULL,
    answer          TEXT,
    misuses         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE IF NOT EXISTS stock (
    sku           TEXT PRIMARY KEY,
    initial       INTEGER NOT NULL,
    on_hand       INTEGER NOT NULL CHECK (on_hand >= 0),
    busy_attempts INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS reservations (
    id       TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('reserved', 'released', 'shipped'))
) STRICT;

CREATE TABLE IF NOT EXISTS reservation_lines (
    reservation_id TEXT NOT NULL,
    sku            TEXT NOT NULL,
    quantity       INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS releases (
    id             TEXT PRIMARY KEY,
    reservation_id TEXT NOT NULL,
    found          TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS charges (
    id           TEXT PRIMARY KEY,
    order_id     TEXT NOT NULL,
    card_last4   TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS refunds (
    id           TEXT PRIMARY KEY,
    charge_id    TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS shipments (
    id       TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    country  TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS mails (
    id        TEXT PRIMARY KEY,
    order_id  TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject   TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS reservations_by_order ON reservations (order_id);
CREATE INDEX IF NOT EXISTS lines_by_reservation ON reservation_lines (reservation_id);

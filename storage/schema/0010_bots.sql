-- Which bot of a front end the database belongs to: the ids of updates and messages mean something for one bot only. A
-- database of an earlier release belongs to the first bot that connects. The poller is the program that polled last.
CREATE TABLE bots (
    front_end TEXT PRIMARY KEY,
    bot INTEGER NOT NULL,
    poller TEXT
) STRICT;

-- Whether somebody tried to open the link after its time: it stays expired, even when the clock goes back.
ALTER TABLE links ADD COLUMN expired INTEGER NOT NULL DEFAULT 0 CHECK (expired IN (0, 1));

-- Sessions of the desk that were signed out before their time; kept for a day, which is longer than a session lasts.
CREATE TABLE desk_sign_outs (
    session TEXT PRIMARY KEY,
    signed_out_at INTEGER NOT NULL
) STRICT;

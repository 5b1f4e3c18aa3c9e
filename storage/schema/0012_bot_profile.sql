-- What a bot has at Telegram, so that every program on the database knows it: its user name, for commands that cannot ask,
-- and the people who have a menu of support staff until it is deleted.
ALTER TABLE bots ADD COLUMN username TEXT;
CREATE TABLE staff_menus (
    front_end TEXT NOT NULL,
    person INTEGER NOT NULL,
    PRIMARY KEY (front_end, person)
) STRICT, WITHOUT ROWID;

-- Which bot of a front end the database belongs to: the ids of updates and messages mean something for one bot only. A
-- database of an earlier release belongs to the first bot that connects.
CREATE TABLE bots (
    front_end TEXT PRIMARY KEY,
    bot INTEGER NOT NULL
) STRICT;

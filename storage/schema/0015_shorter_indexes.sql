-- Shorter rows and indexes of what is written with every attempt: half of each keyed index, one index of times in place of
-- two, and no order within what one number or one person tried, which is little. A program of an earlier release that
-- still runs beside this one counts a person's tries apart, for a day at most.

UPDATE tries SET account_index = substr(account_index, 1, 16), contact_index = substr(contact_index, 1, 16),
    number_index = substr(number_index, 1, 16);

DROP INDEX tries_asked;

DROP INDEX tries_at;

CREATE INDEX tries_at ON tries (asked, tried_at);

DROP INDEX tries_number;

CREATE INDEX tries_number ON tries (number_index) WHERE asked = 1;

DROP INDEX attempts_contact;

CREATE INDEX attempts_contact ON attempts (contact);

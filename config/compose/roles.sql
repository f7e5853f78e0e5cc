-- Run once, by psql as the superuser, when the server's volume is empty: two roles and the database.
--
-- hirewire_owner owns the database and every table; only the migrate job has its password.
-- hirewire_app works. What it may do is granted by `hirewire migrate --grant hirewire_app`, and never includes
-- changing the audit. The passwords are taken from the same secret files that the programs connect with.
\set ON_ERROR_STOP on

\if :{?secrets}
\else
  \set secrets /run/secrets
\endif
\set owner_url `cat :secrets/database_owner_url`
\set app_url `cat :secrets/database_app_url`

SELECT substring(:'owner_url' FROM '^postgresql[^:]*://hirewire_owner:([^@]+)@') AS owner_password,
       substring(:'app_url' FROM '^postgresql[^:]*://hirewire_app:([^@]+)@') AS app_password
\gset

CREATE ROLE hirewire_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE hirewire_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';

-- Sorting that no update of an operating system changes.
CREATE DATABASE hirewire OWNER hirewire_owner TEMPLATE template0 ENCODING 'UTF8'
    LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';
REVOKE ALL ON DATABASE hirewire FROM PUBLIC;
GRANT CONNECT ON DATABASE hirewire TO hirewire_app;

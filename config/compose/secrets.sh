#!/bin/sh
# Write new random passwords for docker-compose.yml, once. Changes nothing where a folder is there already.
# usage: sh config/compose/secrets.sh [FOLDER], by default ./secrets
#
# The folder lets nobody in but its owner. The files in it are readable by all who are in, because containers
# run as users of their own and see each file by itself.
set -eu
folder=${1:-secrets}

if [ -e "$folder" ]; then
    echo "secrets.sh: $folder is there already; nothing was changed" >&2
    exit 1
fi

new_password() {
    od -An -v -N 24 -t x1 /dev/urandom | tr -d ' \n'
}

keep() { # NAME TEXT
    printf '%s\n' "$2" >"$folder/$1"
    chmod 444 "$folder/$1"
}

umask 077
mkdir "$folder"
printf '*\n' >"$folder/.gitignore"

broker=$(new_password)
digest=$(printf '%s' "$broker" | sha256sum | cut -d ' ' -f 1)
keep postgres_password "$(new_password)"
keep database_owner_url "postgresql+psycopg://hirewire_owner:$(new_password)@postgres:5432/hirewire"
keep database_app_url "postgresql+psycopg://hirewire_app:$(new_password)@postgres:5432/hirewire"
keep broker_url "redis://hirewire:$broker@valkey:6379/0"
keep valkey_acl "user default on nopass resetkeys resetchannels -@all +ping
user hirewire on #$digest ~* &* +@all -@admin -@dangerous +info"

echo "secrets.sh: $folder is written; put the token of each target there too (chmod 444), e.g. $folder/awx_prod"

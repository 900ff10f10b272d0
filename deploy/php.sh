# Pages of PHP, in a php-fpm of the script's own. Sourced by scripts that want one, after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are for the scripts that source it, or of lib.sh

# The newest php-fpm that is installed.
php_fpm() { compgen -G '/usr/sbin/php-fpm[0-9]*' | sort -V | tail -n 1; }

# The pages.
php_pages=$repository/deploy/php/site

# Starts php-fpm for the pages in $php_pages: start_php FOLDER [LINE …], with these lines in its php.ini. The pages are copied
# to FOLDER/html, which the web server serves, and its settings are FOLDER/php/php.ini and pool.conf. Sets $php to its
# process id and $php_socket to where it listens.
start_php() {
    local folder=$1 settings=$1/php identity=() deadline=$((SECONDS + 15))
    shift
    php_socket=$settings/php.sock
    mkdir -p -- "$folder/html" "$settings"
    mkdir -m 0700 -- "$settings/sessions" "$settings/store"
    cp -- "$php_pages"/* "$folder/html"
    if ((EUID == 0)); then
        # As the server: PHP takes no session's file of another user.
        identity=('user = nobody' 'group = nogroup' 'listen.owner = nobody' 'listen.group = www-data')
        chown nobody:nogroup "$settings/sessions" "$settings/store"
        chmod 0755 "$folder/html" "$settings"
        chmod 0644 "$folder"/html/*
    fi
    printf '%s\n' 'session.save_handler = files' "session.save_path = \"$settings/sessions\"" 'session.gc_probability = 0' \
        "$@" >"$settings/php.ini"
    printf '%s\n' '[shop]' "${identity[@]}" "listen = $php_socket" 'listen.mode = 0660' 'pm = ondemand' \
        'pm.max_children = 8' 'php_admin_flag[display_errors] = off' >"$settings/pool.conf"
    printf '%s\n' '[global]' "error_log = $folder/php.log" 'daemonize = no' "include = $settings/pool.conf" >"$settings/fpm.conf"
    launch "$(php_fpm)" --nodaemonize --fpm-config "$settings/fpm.conf" --php-ini "$settings/php.ini" >>"$folder/php.log" 2>&1
    php=$started
    until [[ -S $php_socket ]]; do
        if ! alive "$php" || ((SECONDS > deadline)); then
            show_logs "$folder"
            die "php-fpm did not start"
        fi
        sleep 0.05
    done
}

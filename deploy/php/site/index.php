<?php
// The shop: who one is, and what there is. The log-in of this example takes any name; a real one looks for a password.
require __DIR__ . '/shop.php';

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    only_ours();
    if (isset($_POST['logout'])) {
        session_regenerate_id(true);
        $_SESSION = [];
        go_to('/');
    }
    $name = trim((string) ($_POST['name'] ?? ''));
    if ($name === '' || $name === '0' || strlen($name) > 64 || !preg_match('//u', $name)) {
        http_response_code(400);
        exit("Give a name of up to 64 bytes, other than 0.\n");
    }
    // A new id: the old one may be known to somebody else.
    session_regenerate_id(true);
    $_SESSION['user'] = $name;
    go_to('/');
}

$token = token();
$content = "<ul>\n";
foreach (GOODS as $id => $item) {
    $name = text($item['name']);
    $price = euro($item['cents']);
    $content .= <<<HTML
        <li><form method="post" action="/cart.php">$token<input type="hidden" name="item" value="$id">
        $name, $price <button>Add to the cart</button></form></li>

        HTML;
}
$content .= "</ul>\n" . (isset($_SESSION['user'])
    ? "<form method=\"post\">$token<button name=\"logout\">Log out</button></form>"
    : "<form method=\"post\">$token<label>Name <input name=\"name\" autocomplete=\"username\" required></label> <button>Log in</button></form>");
page('Pots', $content);

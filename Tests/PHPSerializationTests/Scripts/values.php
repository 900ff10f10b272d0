<?php
// Random values: scalars, arrays, objects with members of all kinds, cases of enums, the same object in several places.

enum Suit { case Hearts; case Spades; }
enum Level: int { case Low = 1; case High = 2; }



class Visible
{
    public $open;
    protected $guarded;
    private $closed;

    function __construct($open = null, $guarded = null, $closed = null)
    {
        $this->open = $open;
        $this->guarded = $guarded;
        $this->closed = $closed;
    }
}

class Node { public $name; public $parent; public $children = []; }

class Modern
{
    public $parts = [];

    function __serialize(): array { return ['p' => $this->parts, 7 => count($this->parts)]; }

    function __unserialize(array $data): void { $this->parts = $data['p']; }
}

function text(): string
{
    switch (mt_rand(0, 5)) {
        case 0: return '';
        case 1: return random(mt_rand(1, 40));
        case 2: return 'a|b";}i:1;' . mt_rand();
        case 3: return "žluťoučký kůň " . mt_rand();
        case 4: return (string) mt_rand(-20, 20);
        default: return 'word' . mt_rand(0, 99);
    }
}

function random(int $count): string
{
    $bytes = '';
    while ($count-- > 0) $bytes .= chr(mt_rand(0, 255));
    return $bytes;
}

function number()
{
    switch (mt_rand(0, 5)) {
        case 0: return mt_rand(-100, 100);
        case 1: return PHP_INT_MAX - mt_rand(0, 3);
        case 2: return PHP_INT_MIN + mt_rand(0, 3);
        case 3: return mt_rand() / mt_rand(1, 1000000);
        case 4: return unpack('d', random(8))[1];
        default: return mt_rand(-999, 999) * 10.0 ** mt_rand(-25, 25);
    }
}

function anyKey()
{
    return mt_rand(0, 2) ? 'k' . mt_rand(0, 30) : (mt_rand(0, 3) ? mt_rand(-3, 9) : text());
}

function value(int $depth, array &$pool)
{
    $kind = mt_rand(0, $depth > 4 ? 5 : 14);
    switch ($kind) {
        case 0: return null;
        case 1: return (bool) mt_rand(0, 1);
        case 2: return number();
        case 3: case 4: return text();
        case 5: return [Suit::Hearts, Suit::Spades, Level::Low, Level::High][mt_rand(0, 3)];
        case 6: if ($pool) return $pool[array_rand($pool)]; return 1;
        case 7: case 8: case 9:
            $array = [];
            for ($n = mt_rand(0, mt_rand(0, 9) ? 4 : 20); $n > 0; $n--) $array[anyKey()] = value($depth + 1, $pool);
            return $array;
        case 10:
            $list = [];
            for ($n = mt_rand(0, 4); $n > 0; $n--) $list[] = value($depth + 1, $pool);
            return $list;
        case 11:
            $object = new stdClass;
            $pool[] = $object;
            for ($n = mt_rand(0, 3); $n > 0; $n--) $object->{'p' . mt_rand(0, 9)} = value($depth + 1, $pool);
            return $object;
        case 12:
            $object = new Visible(value($depth + 1, $pool), value($depth + 1, $pool), value($depth + 1, $pool));
            $pool[] = $object;
            return $object;
        case 13:
            $object = new Node;
            $pool[] = $object;
            $object->name = text();
            $object->parent = value($depth + 1, $pool);
            $object->children = [value($depth + 1, $pool)];
            return $object;
        default:
            $object = new Modern;
            $pool[] = $object;
            $object->parts = [value($depth + 1, $pool), value($depth + 1, $pool)];
            return $object;
    }
}

/** A random variable somewhere inside, and the array or object that holds it. */
function &descend(&$root, int $depth = 0)
{
    if (is_array($root) && $root && ($depth == 0 || mt_rand(0, 2))) return descend($root[array_rand($root)], $depth + 1);
    if ($root instanceof stdClass) {
        $names = array_keys(get_object_vars($root));
        if ($names && mt_rand(0, 2)) return descend($root->{$names[array_rand($names)]}, $depth + 1);
    }
    return $root;
}

/** Makes a few variables inside of an array one and the same. */
function share(array &$root, callable $name): void
{
    for ($n = mt_rand(0, 3) ? mt_rand(0, 4) : 0; $n > 0 && $root; $n--) {
        $holder = &descend($root[array_rand($root)]);
        $shared = &descend($root[array_rand($root)]);
        if (is_array($holder)) $holder[anyKey()] = &$shared;
        elseif ($holder instanceof stdClass) $holder->{'p' . mt_rand(0, 9)} = &$shared;
        else $root[$name()] = &$shared;
        unset($holder, $shared);
    }
}

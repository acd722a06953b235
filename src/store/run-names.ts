/** Names for runs that were given none: an adjective, an animal and a number, as `gentle-otter-472`. */
import { randomInt } from 'node:crypto';

const ADJECTIVES = [
  'able agile amber ample apt bold brave bright brisk calm candid clear clever crisp curious dapper deft eager early',
  'exact fair famous fancy fine firm fleet fond frank free fresh gentle glad golden good grand great handy happy hardy',
  'honest humble jolly keen kind large learned light lively loyal lucky mellow merry mighty modest neat nimble noble',
  'novel open patient placid plucky polite prime proud quick quiet rapid ready rich robust royal serene sharp shiny',
  'silent silver sincere sleek smart smooth snappy solid sound spry stable steady stout sunny sure swift thrifty tidy',
  'tranquil trusty upbeat valiant vivid warm wise witty young zesty',
].flatMap((line) => line.split(' '));

const ANIMALS = [
  'ant ape badger bat bear beaver bee bird bison boar bug calf carp cat chick chimp clam cod colt cow crab crane crow',
  'cub deer doe dog dove duck eagle eel elk ewe falcon fawn finch fish flea fly foal fowl fox frog gnat gnu goat goose',
  'grouse grub gull hare hawk hen heron hog horse hound ibex jay kid kite koala lamb lark lion loon lynx mare mink mole',
  'moose moth mouse mule newt otter owl ox panda perch pig pony puma pug quail ram rat ray robin seal shad shark sheep',
  'shrew shrike shrimp skunk sloth slug smelt snail snake snipe sow sponge squid stag stork swan tern toad trout turtle',
  'vole wasp whale wolf worm wren yak zebra',
].flatMap((line) => line.split(' '));

const LONGEST = 20;

export function randomRunName(): string {
  const pick = (words: readonly string[]) => words[randomInt(words.length)] ?? '';
  for (;;) {
    const name = `${pick(ADJECTIVES)}-${pick(ANIMALS)}-${randomInt(1001)}`;
    if (name.length <= LONGEST) return name;
  }
}

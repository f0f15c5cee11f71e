// Numbers from a seed: the same seed gives the same choices. (xorshift32 after a mix of the seed.)
export class Random {
  constructor(seed) {
    this.state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ (seed >>> 13)) >>> 0 || 1;
  }

  next() {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state / 2 ** 32;
  }

  // from … to, both included.
  whole(from, to) {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  // One of [{weight, …}].
  weighted(list) {
    let left = this.next() * list.reduce((sum, each) => sum + each.weight, 0);
    return list.find((each) => (left -= each.weight) < 0) ?? list.at(-1);
  }
}

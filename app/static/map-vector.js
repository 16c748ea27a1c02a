// Vector tiles (Mapbox Vector Tile 2.1, in protocol buffers) as far as streets need them: features with tags and lines.

class Message {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  varint() {
    let value = 0, place = 1, byte;
    do {
      byte = this.bytes[this.at++];
      value += (byte & 0x7f) * place;
      place *= 128;
    } while (byte > 0x7f);
    return value;
  }

  varints() {
    const found = [];
    while (this.at < this.bytes.length) found.push(this.varint());
    return found;
  }

  // each field's number, and what it holds: a number, or the bytes of a text, a message or packed numbers
  *fields() {
    while (this.at < this.bytes.length) {
      const key = this.varint();
      const [field, wire] = [Math.floor(key / 8), key & 7];
      if (wire === 0) yield [field, this.varint()];
      else if (wire === 1) yield [field, this.view.getFloat64((this.at += 8) - 8, true)];
      else if (wire === 5) yield [field, this.view.getFloat32((this.at += 4) - 4, true)];
      else if (wire === 2) {
        const length = this.varint();
        yield [field, this.bytes.subarray(this.at, (this.at += length))];
      } else throw new Error(`A tile has a field of kind ${wire}.`);
    }
  }
}

const text = new TextDecoder();
const signed = (number) => (number % 2 ? -(number + 1) / 2 : number / 2);

// the layers of those names: how many units a side of the tile has, and the features
export function layersOf(bytes, names) {
  const found = new Map();
  for (const [field, content] of new Message(bytes).fields()) {
    if (field !== 3) continue;
    const layer = { name: "", extent: 4096, features: [] }, keys = [], values = [], packed = [];
    for (const [part, value] of new Message(content).fields()) {
      if (part === 1) layer.name = text.decode(value);
      else if (part === 2) packed.push(value);
      else if (part === 3) keys.push(text.decode(value));
      else if (part === 4) values.push(valueOf(value));
      else if (part === 5) layer.extent = value;
    }
    if (!names.has(layer.name)) continue;
    layer.features = packed.map((one) => featureOf(one, keys, values));
    found.set(layer.name, layer);
  }
  return found;
}

function valueOf(bytes) {
  for (const [field, value] of new Message(bytes).fields()) return field === 1 ? text.decode(value) : value;
}

// type 1 is points, 2 lines, 3 rings; each part of it is x, y, x, y, …
function featureOf(bytes, keys, values) {
  const feature = { type: 0, tags: {}, parts: [] };
  for (const [field, value] of new Message(bytes).fields()) {
    if (field === 2) {
      const pairs = new Message(value).varints();
      for (let at = 0; at + 1 < pairs.length; at += 2) feature.tags[keys[pairs[at]]] = values[pairs[at + 1]];
    } else if (field === 3) feature.type = value;
    else if (field === 4) feature.parts = partsOf(new Message(value).varints());
  }
  return feature;
}

function partsOf(commands) {
  const parts = [];
  let x = 0, y = 0, at = 0;
  while (at < commands.length) {
    const [command, times] = [commands[at] & 7, commands[at++] >> 3];
    if (command === 7) parts.at(-1)?.push(...parts.at(-1).slice(0, 2));
    else for (let time = 0; time < times && at + 1 < commands.length; time++) {
      [x, y] = [x + signed(commands[at++]), y + signed(commands[at++])];
      if (command === 1) parts.push([x, y]);
      else parts.at(-1)?.push(x, y);
    }
  }
  return parts;
}

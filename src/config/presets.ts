/**
 * Presets: defaults for all timers of the election and of BFD at once, by the kind of network that
 * the directors are on. A key that is given in the file always wins.
 *
 * They are filled in where the file leaves a key out, before anything is judged, so that the schema
 * reads them like any other value. Pure.
 */
import { isMapping } from './schema/mappingReader.js';
import type { PresetName } from './schema/presetType.js';

/** Values as an operator would write them, by the place of their key in its mapping. */
interface PresetDefaults {
  readonly router: Readonly<Record<string, string | number>>;
  readonly session: Readonly<Record<string, string | number>>;
}

/** What each preset sets. `lan` is what holds without one. */
export const presets: Readonly<Record<PresetName, PresetDefaults>> = {
  lan: {
    router: {
      advertInterval: '1s',
      'preempt.delay': '0s',
      'announcements.repeat': 5,
      'announcements.delay': '5s',
      'announcements.refresh': '60s',
    },
    session: { desiredMinTx: '300ms', multiplier: 3 },
  },
  // Virtual machines are paused and moved, and their network forgets: patience, and reminders.
  cloud: {
    router: {
      advertInterval: '2s',
      'preempt.delay': '60s',
      'announcements.repeat': 5,
      'announcements.delay': '10s',
      'announcements.refresh': '30s',
    },
    session: { desiredMinTx: '1s', multiplier: 5 },
  },
  // A quiet link between machines with processors to spare.
  fast: {
    router: {
      advertInterval: '100ms',
      'preempt.delay': '5s',
      'announcements.repeat': 3,
      'announcements.delay': '1s',
      'announcements.refresh': '30s',
    },
    session: { desiredMinTx: '50ms', multiplier: 3 },
  },
};

/** A file with what its presets say in the places that it leaves open. Never throws. */
export function withPresets(root: unknown): unknown {
  if (!isMapping(root)) return root;
  const fill = (list: unknown, part: keyof PresetDefaults): unknown => {
    if (!Array.isArray(list)) return list;
    return list.map((item: unknown) => {
      if (!isMapping(item)) return item;
      const name = Object.hasOwn(item, 'preset') ? item.preset : root.preset;
      return isPresetName(name) ? filled(item, presets[name][part]) : item;
    });
  };
  return {
    ...root,
    ...(Object.hasOwn(root, 'virtualRouters')
      ? { virtualRouters: fill(root.virtualRouters, 'router') }
      : {}),
    ...(Object.hasOwn(root, 'bfd') ? { bfd: fill(root.bfd, 'session') } : {}),
  };
}

function isPresetName(name: unknown): name is PresetName {
  return typeof name === 'string' && Object.hasOwn(presets, name);
}

type Mapping = Readonly<Record<string, unknown>>;

function filled(item: Mapping, defaults: PresetDefaults['router']): Mapping {
  const result: Record<string, unknown> = { ...item };
  for (const [place, value] of Object.entries(defaults)) {
    const [key = '', inner] = place.split('.');
    if (inner === undefined) {
      if (!Object.hasOwn(result, key)) result[key] = value;
      continue;
    }
    const section = Object.hasOwn(result, key) ? result[key] : {};
    // Who does not preempt has no use for a delay, and would be warned of one.
    if (!isMapping(section) || Object.hasOwn(section, inner) || section.enabled === false) continue;
    result[key] = { ...section, [inner]: value };
  }
  return result;
}

import type { CommandContext } from '../context.ts';
import type { ShownFinding } from '../service/findings.ts';

/** The installed service as `status` shows it. */
export type InstalledView = {
  name: string;
  kind: string;
  findings: ShownFinding[];
  /** In the words of a service manager that will not start it again; undefined while it would. */
  givenUp: string | undefined;
};

/** Looks at the service of this configuration; its manager is asked only when no gateway runs. */
export async function viewService(context: CommandContext, isRunning: boolean): Promise<InstalledView | undefined> {
  const [{ openServiceScene }, { findServiceTroubles }] = await Promise.all([
    import('../service/scene.ts'),
    import('../service/findings.ts'),
  ]);
  const scene = openServiceScene(context);
  const { manager, name } = scene;
  if (manager?.read() === undefined) return undefined;
  const run = isRunning ? undefined : await manager.look();
  const givenUp = run?.state === 'given-up' ? run.detail : undefined;
  return { name, kind: manager.kind, findings: await findServiceTroubles(scene), givenUp };
}

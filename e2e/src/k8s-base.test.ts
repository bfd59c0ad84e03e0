// One file, although long: what one manifest promises is kept by another, so the rules are read together.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parsePlan } from '@strangler/contracts';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type {
  IConfigMap,
  IContainer,
  IPersistentVolumeClaim,
  IPodSpec,
  IService,
  IServiceAccount,
} from 'kubernetes-models/v1';
import ts from 'typescript';
import { parse, parseAllDocuments } from 'yaml';

const root = resolve(import.meta.dirname, '../..');
const base = join(root, 'k8s/base');
const TOOLKIT = ['strangler-proxy', 'strangler-sync', 'strangler-control'];

type Manifest =
  | IConfigMap
  | IDeployment
  | INetworkPolicy
  | IPersistentVolumeClaim
  | IPodDisruptionBudget
  | IService
  | IServiceAccount;
type Kustomization = {
  readonly resources: readonly string[];
  readonly configMapGenerator: readonly {
    readonly name: string;
    readonly files?: readonly string[];
    readonly envs?: readonly string[];
  }[];
  readonly images: readonly { readonly name: string; readonly newTag?: string }[];
};

const read = (file: string) => readFileSync(join(base, file), 'utf8');
const kustomization = parse(read('kustomization.yaml')) as Kustomization;
const documentsOf = (text: string) =>
  parseAllDocuments(text).map((document) => document.toJS() as Manifest | null);

const variablesOf = (file: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    read(file)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
/** What the generators make, without the hash at the end of the name. */
const generated = kustomization.configMapGenerator.map(({ name, files = [], envs = [] }): IConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: Object.assign({}, ...files.map((file) => ({ [file]: read(file) })), ...envs.map(variablesOf)),
}));
const committed = kustomization.resources.map((file) => documentsOf(read(file))[0] as Manifest);
const manifests: readonly Manifest[] = [...committed, ...generated];

const nameOf = ({ kind, metadata }: Manifest) => `${kind}/${metadata?.name}`;
const ofKind = <K extends Manifest['kind']>(all: readonly Manifest[], kind: K) =>
  all.filter((manifest): manifest is Extract<Manifest, { kind: K }> => manifest.kind === kind);
const podOf = (deployment: IDeployment): IPodSpec => deployment.spec?.template.spec ?? { containers: [] };
const podLabelsOf = (deployment: IDeployment) => deployment.spec?.template.metadata?.labels ?? {};
const containersOf = (pod: IPodSpec): readonly IContainer[] => [
  ...(pod.initContainers ?? []),
  ...pod.containers,
];

/** Checks against the schemas of the Kubernetes API; the sentence of the validator, or undefined. */
async function schemaProblem(manifest: Manifest): Promise<string | undefined> {
  const { apiVersion, kind } = manifest;
  const models = (await import(`kubernetes-models/${apiVersion}`).catch(() => ({}))) as Readonly<
    Record<string, (new (data: unknown) => { validate(): void }) | undefined>
  >;
  const Model = models[kind];
  if (!Model) return `${nameOf(manifest)}: "${apiVersion}" has no kind "${kind}"`;
  try {
    new Model(manifest).validate();
    return undefined;
  } catch (error) {
    return `${nameOf(manifest)}: ${(error as Error).message}`;
  }
}

/** Fields the API does not know. The schemas let them pass (and a server drops them), the types of the same API do not. */
function unknownFields(all: readonly Manifest[]): readonly string[] {
  const file = join(import.meta.dirname, 'manifests.ts');
  const text = all
    .map(
      (manifest) =>
        `{ const manifest: import('kubernetes-models/${manifest.apiVersion}').I${manifest.kind} = ${JSON.stringify(manifest)}; void manifest; }`,
    )
    .join('\n');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([file], options, {
    ...host,
    fileExists: (name) => name === file || host.fileExists(name),
    readFile: (name) => (name === file ? text : host.readFile(name)),
    getSourceFile: (name, ...rest) =>
      name === file ? ts.createSourceFile(name, text, rest[0]) : host.getSourceFile(name, ...rest),
  });
  const source = program.getSourceFile(file);
  if (!source) throw new Error('the compiler lost the manifests');
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    ({ messageText, start = 0 }) => {
      const manifest = all[source.getLineAndCharacterOfPosition(start).line];
      return `${manifest && nameOf(manifest)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    },
  );
}

/** What every pod promises the cluster it runs in. */
function podProblems(deployment: IDeployment): readonly string[] {
  const pod = podOf(deployment);
  const of = (name: string, complaints: readonly (string | false | undefined)[]) =>
    complaints.filter((text) => typeof text === 'string').map((text) => `${name}: ${text}`);
  const own = of(nameOf(deployment), [
    pod.automountServiceAccountToken !== false && 'mounts the token of its service account',
    pod.enableServiceLinks !== false && 'takes service links as its environment',
    pod.serviceAccountName === undefined && 'runs as the default service account',
    pod.terminationGracePeriodSeconds === undefined && 'does not say how long it takes to end',
    (pod.hostNetwork || pod.hostPID || pod.hostIPC) && 'shares a namespace of its host',
  ]);
  const each = containersOf(pod).flatMap((container) => {
    const security = { ...pod.securityContext, ...container.securityContext };
    const { requests = {}, limits = {} } = container.resources ?? {};
    const initial = pod.initContainers?.includes(container) === true;
    return of(`${nameOf(deployment)} ${container.name}`, [
      (security.runAsNonRoot !== true || !((security.runAsUser ?? 0) > 0)) && 'may run as root',
      security.readOnlyRootFilesystem !== true && 'may write its root file system',
      security.allowPrivilegeEscalation !== false && 'may gain privileges',
      security.privileged === true && 'is privileged',
      security.capabilities?.drop?.join() !== 'ALL' && 'keeps capabilities',
      security.capabilities?.add !== undefined && 'adds capabilities',
      security.seccompProfile?.type !== 'RuntimeDefault' && 'has no seccomp profile',
      !(requests['cpu'] && requests['memory']) && 'requests no cpu or memory',
      !(limits['cpu'] && limits['memory']) && 'has no limit of cpu or memory',
      !initial && container.readinessProbe === undefined && 'has no readiness probe',
      !initial && container.livenessProbe === undefined && 'has no liveness probe',
      !initial && container.startupProbe === undefined && 'has no startup probe',
      (container.image ?? ':latest').endsWith(':latest') && 'has no image, or the latest',
    ]);
  });
  const longest = Math.max(...pod.containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0));
  // A program of the toolkit ends within 10 s of the signal, and the sleep before it counts too.
  const grace = of(nameOf(deployment), [
    (pod.terminationGracePeriodSeconds ?? 30) <= longest + 10 && 'is killed before it can have ended',
  ]);
  return [...own, ...each, ...grace];
}

const selects = (
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
) => selector !== undefined && Object.entries(selector).every(([key, value]) => labels[key] === value);

/** What one manifest says of another: names, labels and ports that must be there. */
function referenceProblems(all: readonly Manifest[]): readonly string[] {
  const found: string[] = [];
  const deployments = ofKind(all, 'Deployment');
  const names = new Set(all.map(nameOf));
  const needs = (from: Manifest, kind: string, name: string | undefined) => {
    if (!names.has(`${kind}/${name}`)) found.push(`${nameOf(from)}: there is no ${kind} "${name}"`);
  };
  const chosen = (from: Manifest, selector: Readonly<Record<string, string>> | undefined) => {
    const matching = deployments.filter((deployment) => selects(selector, podLabelsOf(deployment)));
    if (matching.length === 0) found.push(`${nameOf(from)}: selects no pod`);
    return matching;
  };
  const needsPort = (from: Manifest, target: IDeployment, port: string | number | undefined) => {
    const open = podOf(target).containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name));
    if (typeof port !== 'string' || !open.includes(port))
      found.push(`${nameOf(from)}: ${nameOf(target)} has no port named "${port}"`);
  };
  for (const deployment of deployments) {
    const pod = podOf(deployment);
    if (!selects(deployment.spec?.selector.matchLabels, podLabelsOf(deployment)))
      found.push(`${nameOf(deployment)}: does not select its own pods`);
    for (const { labelSelector } of pod.topologySpreadConstraints ?? [])
      if (!selects(labelSelector?.matchLabels, podLabelsOf(deployment)))
        found.push(`${nameOf(deployment)}: spreads the pods of another`);
    needs(deployment, 'ServiceAccount', pod.serviceAccountName);
    for (const { configMap, persistentVolumeClaim, hostPath, name } of pod.volumes ?? []) {
      if (configMap) needs(deployment, 'ConfigMap', configMap.name);
      if (persistentVolumeClaim) needs(deployment, 'PersistentVolumeClaim', persistentVolumeClaim.claimName);
      if (hostPath) found.push(`${nameOf(deployment)}: mounts "${name}" from its host`);
    }
    for (const container of containersOf(pod)) {
      for (const { name } of container.volumeMounts ?? [])
        if (!pod.volumes?.some((volume) => volume.name === name))
          found.push(`${nameOf(deployment)}: mounts "${name}", which is no volume`);
      for (const { configMapRef } of container.envFrom ?? [])
        needs(deployment, 'ConfigMap', configMapRef?.name);
      for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe])
        if (probe && !probe.exec) needsPort(deployment, deployment, (probe.httpGet ?? probe.tcpSocket)?.port);
    }
  }
  for (const service of ofKind(all, 'Service'))
    for (const target of chosen(service, service.spec?.selector))
      for (const { targetPort } of service.spec?.ports ?? []) needsPort(service, target, targetPort);
  for (const budget of ofKind(all, 'PodDisruptionBudget')) chosen(budget, budget.spec?.selector?.matchLabels);
  for (const policy of ofKind(all, 'NetworkPolicy')) {
    const targets = chosen(policy, policy.spec?.podSelector?.matchLabels);
    for (const { ports = [], from = [] } of policy.spec?.ingress ?? []) {
      for (const target of targets) for (const { port } of ports) needsPort(policy, target, port);
      for (const { podSelector } of from) if (podSelector) chosen(policy, podSelector.matchLabels);
    }
  }
  for (const deployment of deployments)
    if (
      !ofKind(all, 'NetworkPolicy').some(
        ({ spec }) => !spec?.ingress && selects(spec?.podSelector?.matchLabels, podLabelsOf(deployment)),
      )
    )
      found.push(`${nameOf(deployment)}: nothing denies what is not allowed`);
  return found;
}

const PLACEHOLDER = /^(not-for-this-program|mysql:\/\/not-for-this-program\.invalid\/\w+)$/;
/** A value that could be a secret; addresses and placeholders are none. */
const looksSecret = (name: string, value: string) =>
  !PLACEHOLDER.test(value) && (/SECRET|PASSWORD|TOKEN|DATABASE_URL/.test(name) || /:\/\/[^/]*@/.test(value));

function secretProblems(all: readonly Manifest[]): readonly string[] {
  const found = all.flatMap((manifest) =>
    (manifest.kind as string) === 'Secret' ? [`${nameOf(manifest)}: is committed`] : [],
  );
  for (const map of ofKind(all, 'ConfigMap'))
    for (const [key, value] of Object.entries(map.data ?? {}))
      if (looksSecret(key, value)) found.push(`${nameOf(map)}: "${key}" holds a secret`);
  for (const deployment of ofKind(all, 'Deployment'))
    for (const { name, env = [] } of containersOf(podOf(deployment)))
      for (const variable of env)
        if (looksSecret(variable.name, variable.value ?? '') && !variable.valueFrom?.secretKeyRef)
          found.push(`${nameOf(deployment)} ${name}: "${variable.name}" holds a secret`);
  return found;
}

/** The environment of a program as its manifest makes it, with a made-up value for each secret. */
function environmentOf(deployment: IDeployment): Readonly<Record<string, string>> {
  const [container] = podOf(deployment).containers;
  const maps = new Map(ofKind(manifests, 'ConfigMap').map((map) => [map.metadata?.name, map.data ?? {}]));
  const secretFor = (name: string) =>
    name.endsWith('DATABASE_URL')
      ? `mysql://user:password@database:3306/${name.toLowerCase()}`
      : 'x'.repeat(32);
  return Object.assign(
    {},
    ...(container?.envFrom ?? []).map(({ configMapRef }) => maps.get(configMapRef?.name)),
    ...(container?.env ?? []).map(({ name, value }) => ({ [name]: value ?? secretFor(name) })),
  );
}

const deploymentNamed = (name: string): IDeployment => {
  const deployment = ofKind(manifests, 'Deployment').find(({ metadata }) => metadata?.name === name);
  if (!deployment) throw new Error(`there is no Deployment "${name}"`);
  return deployment;
};
const clone = <T>(value: T): T => structuredClone(value);

describe('the base lists its files', () => {
  const sources = kustomization.configMapGenerator.flatMap(({ files = [], envs = [] }) => [
    ...files,
    ...envs,
  ]);

  it('and each is there, and nothing else is', () => {
    expect([...kustomization.resources, ...sources, 'kustomization.yaml'].toSorted()).toEqual(
      readdirSync(base).toSorted(),
    );
  });

  it('and each resource is one object, in a file named after it', () => {
    for (const file of kustomization.resources) {
      const [object, ...more] = documentsOf(read(file));
      const kind = object?.kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
      expect(more).toEqual([]);
      const name = object?.metadata?.name ?? '';
      // A service of a program's second port and the policy of all are named in short.
      expect([`${name}.${kind}.yaml`, `${name.replace(/^strangler-/, '')}.${kind}.yaml`]).toContain(file);
    }
    expect(new Set(manifests.map(nameOf)).size).toBe(manifests.length);
  });

  it('and gives every image it runs a tag, and none that it does not run', () => {
    const images = ofKind(manifests, 'Deployment').flatMap((deployment) =>
      containersOf(podOf(deployment)).map(({ image }) => image),
    );
    expect(new Set(images)).toEqual(new Set(kustomization.images.map(({ name }) => name)));
    for (const { newTag = 'latest' } of kustomization.images) expect(newTag).not.toBe('latest');
  });
});

describe('every object', () => {
  it.each(manifests.map((manifest) => [nameOf(manifest), manifest] as const))(
    '%s fits the schema of the Kubernetes API',
    async (_, manifest) => {
      expect(await schemaProblem(manifest)).toBeUndefined();
    },
  );

  it('has only fields the Kubernetes API knows', () => {
    expect(unknownFields(manifests)).toEqual([]);
  });

  it('keeps the promises of a pod to its cluster', () => {
    expect(ofKind(manifests, 'Deployment').flatMap(podProblems)).toEqual([]);
  });

  it('names only what is there', () => {
    expect(referenceProblems(manifests)).toEqual([]);
  });

  it('holds no secret', () => {
    expect(secretProblems(manifests)).toEqual([]);
  });
});

describe('a broken object is found', () => {
  const changed = (change: (deployment: IDeployment) => void): IDeployment => {
    const deployment = clone(deploymentNamed('strangler-proxy'));
    change(deployment);
    return deployment;
  };
  const container = (deployment: IDeployment): IContainer => {
    const [first] = podOf(deployment).containers;
    if (!first) throw new Error('the pod has no container');
    return first;
  };
  const withText = (manifest: Manifest, from: string, to: string): Manifest => {
    const text = JSON.stringify(manifest);
    expect(text).toContain(from);
    return JSON.parse(text.replaceAll(from, to)) as Manifest;
  };

  it.each([
    ['a text for a number', '"replicas":2', '"replicas":"two"'],
    ['a missing field', '"selector":{', '"selectors":{'],
    ['a probe without a port', '"port":"admin"', '"prot":"admin"'],
    ['a quantity that is none', '"memory":"256Mi"', '"memory":"256 megabytes"'],
    ['a kind that is not there', '"kind":"Deployment"', '"kind":"Deploiment"'],
    ['an API version that is not there', 'apps/v1', 'apps/v9'],
  ])('by the schema: %s', async (_, from, to) => {
    expect(await schemaProblem(withText(deploymentNamed('strangler-proxy'), from, to))).toEqual(
      expect.stringContaining('strangler-proxy:'),
    );
  });

  it('by the types: a field with a slip of the pen, anywhere', () => {
    const good = deploymentNamed('catalog');
    for (const field of ['readOnlyRootFilesystem', 'startupProbe', 'enableServiceLinks', 'periodSeconds'])
      expect(unknownFields([good, withText(good, `"${field}"`, `"${field}x"`)])).toEqual(
        expect.arrayContaining([expect.stringContaining(`${field}x`)]),
      );
  });

  it.each<[string, (deployment: IDeployment) => void, string]>([
    ['root', (d) => delete podOf(d).securityContext?.runAsNonRoot, 'may run as root'],
    ['user 0', (d) => Object.assign(podOf(d).securityContext ?? {}, { runAsUser: 0 }), 'may run as root'],
    [
      'a root file system',
      (d) => delete container(d).securityContext?.readOnlyRootFilesystem,
      'may write its root file system',
    ],
    ['a token', (d) => delete podOf(d).automountServiceAccountToken, 'mounts the token'],
    ['no resources', (d) => delete container(d).resources, 'requests no cpu or memory'],
    ['no limits', (d) => delete container(d).resources?.limits, 'has no limit'],
    ['no readiness', (d) => delete container(d).readinessProbe, 'has no readiness probe'],
    ['no liveness', (d) => delete container(d).livenessProbe, 'has no liveness probe'],
    ['no startup', (d) => delete container(d).startupProbe, 'has no startup probe'],
    ['latest', (d) => Object.assign(container(d), { image: 'proxy:latest' }), 'or the latest'],
    ['capabilities', (d) => delete container(d).securityContext?.capabilities, 'keeps capabilities'],
    ['privileges', (d) => delete container(d).securityContext?.allowPrivilegeEscalation, 'may gain'],
    ['no seccomp', (d) => delete podOf(d).securityContext?.seccompProfile, 'has no seccomp profile'],
    ['service links', (d) => delete podOf(d).enableServiceLinks, 'takes service links'],
    ['a short grace', (d) => Object.assign(podOf(d), { terminationGracePeriodSeconds: 12 }), 'is killed'],
  ])('by the policy: %s', (_, change, complaint) => {
    expect(podProblems(changed(change)).join()).toContain(complaint);
  });

  it.each([
    [
      'a service of a port that is not there',
      'Service/strangler-sync',
      '"targetPort":"admin"',
      '"targetPort":"http"',
    ],
    ['a service that selects no pod', 'Service/catalog', '"catalog"', '"catalogue"'],
    ['a budget for nobody', 'PodDisruptionBudget/strangler-proxy', '"strangler-proxy"', '"proxy"'],
    ['a policy for a port that is not there', 'NetworkPolicy/catalog', '"port":"http"', '"port":"admin"'],
    ['a policy that lets nobody in', 'NetworkPolicy/catalog', '"strangler-proxy"', '"proxy"'],
    ['a claim that is not there', 'Deployment/strangler-control', '"strangler-flags"', '"flags"'],
    ['a plan that is not there', 'Deployment/strangler-sync', '"strangler-plan"', '"plan"'],
    ['an account that is not there', 'Deployment/catalog', '"sample-shop"', '"default"'],
    ['a probe of a port that is not there', 'Deployment/catalog', '"port":"http"', '"port":"web"'],
    [
      'a mount of no volume',
      'Deployment/strangler-proxy',
      '"name":"state","mountPath"',
      '"name":"stat","mountPath"',
    ],
    [
      'pods that are not its own',
      'Deployment/catalog',
      '"matchLabels":{"app.kubernetes.io/name":"catalog"}',
      '"matchLabels":{"app.kubernetes.io/name":"shop"}',
    ],
    [
      'pods that no policy denies',
      'NetworkPolicy/strangler-default-deny',
      '"matchLabels":{',
      '"matchLabels":{"app.kubernetes.io/name":"catalog",',
    ],
  ])('by what it refers to: %s', (_, name, from, to) => {
    const broken = manifests.map((manifest) =>
      nameOf(manifest) === name ? withText(manifest, from, to) : manifest,
    );
    expect(referenceProblems(broken)).not.toEqual([]);
  });

  it.each([
    [
      'a password in a map',
      'ConfigMap/strangler-addresses',
      'http://legacy-monolith',
      'http://user:pass@legacy-monolith',
    ],
    ['a secret in a map', 'ConfigMap/strangler-addresses', '"not-for-this-program"', '"0123456789abcdef"'],
    ['a committed Secret', 'ConfigMap/strangler-plan', '"ConfigMap"', '"Secret"'],
    [
      'a value in place of a reference',
      'Deployment/catalog',
      '"valueFrom":{"secretKeyRef":{"name":"catalog","key":"database-url"}}',
      '"value":"mysql://database/catalog"',
    ],
  ])('by what must not be in it: %s', (_, name, from, to) => {
    const broken = manifests.map((manifest) =>
      nameOf(manifest) === name ? withText(manifest, from, to) : manifest,
    );
    expect(secretProblems(broken)).not.toEqual([]);
  });
});

describe('the plan of the base', () => {
  const original = join(root, 'migrations/plans/shop.yaml');
  const text = read('shop.yaml');

  it('is the sample plan: after a change, copy migrations/plans/shop.yaml to k8s/base/shop.yaml', () => {
    expect(text).toBe(readFileSync(original, 'utf8'));
  });

  it.each(TOOLKIT)('is right for %s with the variables its manifest sets', (name) => {
    const loaded = parsePlan(text, 'shop.yaml', environmentOf(deploymentNamed(name)));
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  });

  it('gives each program the secrets it works with, and a placeholder for every other', () => {
    const secrets = (name: string) =>
      podOf(deploymentNamed(name))
        .containers.flatMap(({ env = [] }) => env)
        .flatMap((variable) => (variable.valueFrom?.secretKeyRef ? [variable.name] : []));
    expect(Object.fromEntries(TOOLKIT.map((name) => [name, secrets(name)]))).toEqual({
      'strangler-proxy': ['STRANGLER_PROXY_TOKEN', 'STRANGLER_CONTROL_TOKEN', 'STRANGLER_SECRET'],
      'strangler-sync': [
        'STRANGLER_SYNC_TOKEN',
        'STRANGLER_CONTROL_TOKEN',
        'SHOP_DATABASE_URL',
        'CATALOG_DATABASE_URL',
        'ORDERS_DATABASE_URL',
      ],
      'strangler-control': [
        'STRANGLER_PROXY_TOKEN',
        'STRANGLER_SYNC_TOKEN',
        'STRANGLER_CONTROL_TOKEN',
        'LEDGER_DATABASE_URL',
        'SHOP_DATABASE_URL',
        'CATALOG_DATABASE_URL',
        'ORDERS_DATABASE_URL',
      ],
    });
    for (const name of TOOLKIT) {
      const values = Object.entries(environmentOf(deploymentNamed(name)));
      const placeholders = values.filter(([, value]) => PLACEHOLDER.test(value)).map(([key]) => key);
      expect([...placeholders, ...secrets(name)].toSorted()).toEqual([
        'CATALOG_DATABASE_URL',
        'LEDGER_DATABASE_URL',
        'ORDERS_DATABASE_URL',
        'SHOP_DATABASE_URL',
        'STRANGLER_CONTROL_TOKEN',
        'STRANGLER_PROXY_TOKEN',
        'STRANGLER_SECRET',
        'STRANGLER_SYNC_TOKEN',
      ]);
    }
  });

  it('is not right without them', () => {
    expect(parsePlan(text, 'shop.yaml', {}).ok).toBe(false);
  });

  it('has each program listen where its manifest opens a port', () => {
    const listening = (name: string) => {
      const loaded = parsePlan(text, 'shop.yaml', environmentOf(deploymentNamed(name)));
      if (!loaded.ok) throw new Error(`the plan is not right for "${name}"`);
      return loaded.plan;
    };
    const ports = (name: string) =>
      Object.fromEntries(
        podOf(deploymentNamed(name)).containers[0]?.ports?.map((port) => [port.name, port.containerPort]) ??
          [],
      );
    const any = (port: number | undefined) => ({ host: '0.0.0.0', port });
    const proxy = listening('strangler-proxy').proxy;
    expect([proxy.listen, proxy.admin]).toEqual([
      any(ports('strangler-proxy')['http']),
      any(ports('strangler-proxy')['admin']),
    ]);
    expect(listening('strangler-sync').sync.admin).toEqual(any(ports('strangler-sync')['admin']));
    expect(listening('strangler-control').control?.listen).toEqual(any(ports('strangler-control')['http']));
  });

  it('has every program find the others by a service and its port', () => {
    const open = ofKind(manifests, 'Service').flatMap(({ metadata, spec }) =>
      (spec?.ports ?? []).map(({ port }) => `${metadata?.name}:${port}`),
    );
    const asked = (name: string) => {
      const loaded = parsePlan(text, 'shop.yaml', environmentOf(deploymentNamed(name)));
      if (!loaded.ok) throw new Error(`the plan is not right for "${name}"`);
      const { control, proxy, sync, upstreams } = loaded.plan;
      const addresses = {
        'strangler-proxy': [control?.listen, sync.admin],
        'strangler-sync': [control?.listen],
        'strangler-control': [proxy.admin, sync.admin],
      }[name];
      return [
        ...(addresses ?? []).map((address) => `${address?.host}:${address?.port}`),
        ...Object.values(upstreams).flatMap(({ urls }) => urls.map((url) => new URL(url).host)),
      ];
    };
    for (const name of TOOLKIT) expect(open).toEqual(expect.arrayContaining(asked(name)));
  });

  it('has the control plane write the flags where the proxies read them, and only there', () => {
    const fileFor = (name: string) => environmentOf(deploymentNamed(name))['SHOP_FLAGS_FILE'] ?? '';
    const mountFor = (name: string) => {
      const pod = podOf(deploymentNamed(name));
      const mounts = pod.containers[0]?.volumeMounts ?? [];
      const mount = mounts.find(
        ({ mountPath }) => fileFor(name) === `${mountPath}/${basename(fileFor(name))}`,
      );
      const volume = pod.volumes?.find((candidate) => candidate.name === mount?.name);
      return { readOnly: mount?.readOnly ?? false, claim: volume?.persistentVolumeClaim?.claimName };
    };
    expect(mountFor('strangler-control')).toEqual({ readOnly: false, claim: 'strangler-flags' });
    expect(mountFor('strangler-proxy')).toEqual({ readOnly: true, claim: 'strangler-flags' });
    const [claim] = ofKind(manifests, 'PersistentVolumeClaim').filter(
      ({ metadata }) => metadata?.name === 'strangler-flags',
    );
    expect(claim?.spec?.accessModes).toEqual(['ReadWriteMany']);
  });
});

// Everything above holds without kubectl; where it is, what it builds is checked as well.
const built = spawnSync('kubectl', ['kustomize', base], { encoding: 'utf8', timeout: 30_000 });
if (!(built.error && 'code' in built.error && built.error.code === 'ENOENT'))
  describe('kubectl kustomize', () => {
    const objects = documentsOf(built.stdout).filter((object) => object !== null);
    const withoutHash = (manifest: Manifest) =>
      manifest.kind === 'ConfigMap' ? nameOf(manifest).replace(/-[a-z0-9]{10}$/, '') : nameOf(manifest);

    it('builds the same objects', () => {
      expect(built.stderr).toBe('');
      expect(objects.map(withoutHash).toSorted()).toEqual(manifests.map(nameOf).toSorted());
    });

    it('builds objects that hold what the sources hold', async () => {
      const problems = await Promise.all(objects.map(schemaProblem));
      expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
      expect(referenceProblems(objects)).toEqual([]);
      expect(ofKind(objects, 'Deployment').flatMap(podProblems)).toEqual([]);
    });

    it('gives every container an image with its tag', () => {
      const images = ofKind(objects, 'Deployment').flatMap((deployment) =>
        containersOf(podOf(deployment)).map(({ image }) => image),
      );
      expect(images).toHaveLength(8);
      for (const image of images) expect(image).toMatch(/^strangler-toolkit\/[a-z-]+:0\.1\.0$/);
    });
  });

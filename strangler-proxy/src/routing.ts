import {
  epochOf,
  generationOf,
  isHeld,
  type PathRules,
  type Phase,
  phaseOf,
  type Plan,
  type RoutingState,
} from '@strangler/contracts';
import { compileRoutes, type Route, type RouteTable } from './match.js';

/** Plan and state as one value: a request keeps the one it started with, whatever is put into force meanwhile. */
export type Routing = {
  readonly routes: RouteTable;
  readonly paths: PathRules;
  readonly state: RoutingState;
  phase(route: Route | undefined): Phase;
  generation(route: Route): number;
  /** Whether writes of the route's migration are held. */
  isHeld(route: Route): boolean;
  /** Of the authority over what the route writes. */
  epoch(route: Route): number;
};

/** The routing in force, swapped by one assignment. */
export function createRouting(
  plan: Plan,
  state: RoutingState,
): { current: Routing; put(state: RoutingState): void } {
  const routes = compileRoutes(plan);
  const compile = (next: RoutingState): Routing => ({
    routes,
    paths: plan.proxy.paths,
    state: next,
    phase: (route) => (route ? phaseOf(next, route.migration) : 'legacy'),
    generation: (route) => generationOf(next, route.migration),
    isHeld: (route) => isHeld(next, route.migration),
    epoch: (route) => epochOf(next, route.migration),
  });
  return {
    current: compile(state),
    put(next) {
      this.current = compile(next);
    },
  };
}

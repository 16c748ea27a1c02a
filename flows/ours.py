"""What a worker runs: the flows of this package as ``dashcam setup`` deploys them, and nothing else.

Who reaches Prefect's API may make deployments and runs of any kind. A run's own command, environment, folder, code or
pull steps would be anybody's program on this machine, with the rights of this worker.
"""

from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.states import Failed

from dashcam.tasks.chain import STAGES

FLOWS = frozenset(
    {*(stage.flow for stage in STAGES.values()), "scan", "retention", "sweep", "backup", "scrub", "maintenance"}
)


class Foreign(Exception):
    """A run that is not ours to do; the message says what it asks for."""


async def entrypoint_of(client: PrefectClient, run: FlowRun) -> str:
    """Where its flow lies. Raises `Foreign`."""
    if run.deployment_id is None:
        raise Foreign("it belongs to no deployment")
    if run.job_variables:
        raise Foreign(f"it brings {', '.join(sorted(run.job_variables))} of its own")
    return checked(await client.read_deployment(UUID(str(run.deployment_id))))


def checked(deployment: DeploymentResponse) -> str:
    """The entrypoint of a deployment as `flows.setup` makes it. Raises `Foreign`."""
    entrypoint = deployment.entrypoint or ""
    if entrypoint not in {f"flows.{flow}.{flow}" for flow in FLOWS}:
        raise Foreign(f"deployment {deployment.name} runs {entrypoint or 'something'}, which is no flow of ours")
    brought = {
        "job variables": deployment.job_variables,
        "pull steps": deployment.pull_steps,
        "a path": deployment.path,
        "a storage": deployment.storage_document_id,
        "an infrastructure": deployment.infrastructure_document_id,
    }
    for what, value in brought.items():
        if value:
            raise Foreign(f"deployment {deployment.name} brings {what}")
    return entrypoint


async def refuse(client: PrefectClient, run: FlowRun, foreign: Foreign) -> None:
    message = (
        f"Refused: this worker runs only the flows of dashcam-processor as `dashcam setup` deploys them; {foreign}."
    )
    await client.set_flow_run_state(run.id, Failed(message=message), force=True)

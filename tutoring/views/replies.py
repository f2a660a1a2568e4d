"""How the form of a page without a script is answered."""

from django.http import HttpResponse
from django.shortcuts import redirect

from tutoring.actions.sending import Sent
from tutoring.runner import runner


async def answered(sent: Sent, page_url: str) -> HttpResponse:
    """Back to the page, at the reply, when it has ended."""
    await runner.wait_ended(sent.generation)
    return redirect(f"{page_url}#m-{sent.reply}")

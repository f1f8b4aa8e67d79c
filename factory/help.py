"""What each problem of the Operations API means; open to everybody, as its answers name it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from factory.problems import CODES, PROBLEMS


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """List all problems."""
    return render(request, "problems/problem_list.html", {"problems": PROBLEMS.values()})


@require_safe
def problem(request: HttpRequest, name: str) -> HttpResponse:
    """Explain one problem, and what to do about it."""
    found = PROBLEMS.get(name)
    if found is None:
        raise Http404
    codes = CODES if found.name == "validation-error" else {}
    context = {"problem": found, "codes": codes.items()}
    return render(request, "problems/problem_detail.html", context)

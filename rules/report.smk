"""Pages for people: the report, the pages for ratings, and the page of running trainings.

needs: summary.json, verdicts.json, scores.csv, power.json; settings and logs of trainings, lists of
       pictures, audits; prepared photos, unless the experiment says `hide_photos: true`
gives: results/<experiment>/report.html, one self-contained page, and report.md;
       results/<experiment>/best/, the best picture of every prompt, and a workflow for ComfyUI;
       results/<experiment>/rating.html, which saves the ratings that compare reads;
       results/<experiment>/live.html, trainings while they run;
       results/<experiment>/figures-to-send.csv and pairs.html, when asked for
"""


localrules:
    figures_to_send,
    live,
    rating,
    pairs,
    report,
    send_table,


rule rating:
    """A page on which people rate pictures without knowing which variant drew them. It needs no
    judge, and ratings count from the next comparison on."""
    input:
        pictures=lambda w: paths.lists_of_pictures(PLAN.experiments[w.experiment]),
        photos=lambda w: paths.photos_of(PLAN.experiments[w.experiment]),
        template=["report/rating.html", "report/rater.js"],
    output:
        "results/{experiment}/rating.html",
    log:
        "logs/{experiment}/rating.log",
    benchmark:
        "benchmarks/{experiment}/rating.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: report_specs.rating_spec(
            PLAN.experiments[w.experiment]
        ).canonical(),
        version=step_version("rating"),
    message:
        "{wildcards.experiment}: page for ratings"
    shell:
        "python scripts/rating_page.py --spec {params.spec:q} --folder results/{wildcards.experiment}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule pairs:
    """A page on which people say which of two pictures looks more like somebody. It is made when it
    is asked for by name; choices count from the next report on."""
    input:
        pictures=lambda w: paths.lists_of_pictures(PLAN.experiments[w.experiment]),
        photos=lambda w: paths.photos_of(PLAN.experiments[w.experiment]),
        template=["report/pairs.html", "report/rater.js"],
    output:
        "results/{experiment}/pairs.html",
    log:
        "logs/{experiment}/pairs.log",
    benchmark:
        "benchmarks/{experiment}/pairs.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: report_specs.pairs_spec(
            PLAN.experiments[w.experiment]
        ).canonical(),
        version=step_version("pairs"),
    message:
        "{wildcards.experiment}: page for choices between two pictures"
    shell:
        "python scripts/pairs_page.py --spec {params.spec:q} --folder results/{wildcards.experiment}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule live:
    """A page that shows trainings while they run. It holds photos and no result, and is made before
    the first of them begins."""
    input:
        photos=lambda w: paths.photos_of(PLAN.experiments[w.experiment]),
        template=["report/live.html", "report/live-page.js"],
    output:
        "results/{experiment}/live.html",
    log:
        "logs/{experiment}/live.log",
    priority: 30
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: report_specs.live_page_spec(
            PLAN.experiments[w.experiment]
        ).canonical(),
        version=step_version("live"),
    message:
        "{wildcards.experiment}: page that shows trainings while they run"
    shell:
        "python scripts/live_page.py --spec {params.spec:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule report:
    """One page per experiment: verdicts in plain words, faces, groups, numbers, what to try
    next."""
    input:
        summary="results/{experiment}/summary.json",
        verdicts="results/{experiment}/verdicts.json",
        scores="results/{experiment}/scores.csv",
        power=lambda w: paths.power_table(PLAN.experiments[w.experiment]),
        series=lambda w: paths.series_of(PLAN.experiments[w.experiment]),
        runs=lambda w: paths.told_by_runs(PLAN.experiments[w.experiment]),
        photos=lambda w: paths.photos_of(PLAN.experiments[w.experiment]),
        ratings=lambda w: scoring_specs.ratings_of(w.experiment),
        pairs=lambda w: report_specs.pairs_of(w.experiment),
        templates=[
            *multiext("report/report", ".html", ".md", ".css", ".js"),
            "report/declared.md",
            "report/declared-words.md",
        ],
    output:
        page=report(
            "results/{experiment}/report.html",
            caption="../report/captions/report.rst",
            category="{experiment}",
            subcategory="the page to read",
        ),
        markdown="results/{experiment}/report.md",
        best="results/{experiment}/best/pictures.json",
    log:
        "logs/{experiment}/report.log",
    benchmark:
        "benchmarks/{experiment}/report.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: report_specs.report_spec(PLAN, w.experiment).canonical(),
        version=step_version("report"),
    message:
        "{wildcards.experiment}: report"
    shell:
        "python scripts/report.py --spec {params.spec:q} --folder results/{wildcards.experiment}"
        " --page {output.page:q} --markdown {output.markdown:q} --best {output.best:q}"
        " --ratings {input.ratings:q} --pairs {input.pairs:q} 2>&1 | tee -i {log:q}"


rule send_table:
    """A small table of what came out, without anybody's name, for who wants to tell it."""
    input:
        "results/{experiment}/summary.json",
        "results/{experiment}/verdicts.json",
        lambda w: scoring_specs.trainings_of(PLAN.experiments[w.experiment]),
    output:
        "results/{experiment}/figures-to-send.csv",
    log:
        "logs/{experiment}/figures-to-send.log",
    conda:
        "../envs/environment.yaml"
    params:
        version=step_version("send_table"),
    message:
        "{wildcards.experiment}: table without names"
    shell:
        "python scripts/figures_to_send.py --folder results/{wildcards.experiment}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule figures_to_send:
    """Everything that the configured experiments ask for, and that table of each."""
    input:
        paths.all_targets(PLAN),
        paths.tables_to_send(PLAN),
    message:
        "finished: look at the table before you send it"

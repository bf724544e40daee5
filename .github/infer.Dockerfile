# The image of a release: `beira infer` and nothing else. The model comes by --model, from a server or a volume.
FROM scratch
COPY beira /beira
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/beira", "infer"]

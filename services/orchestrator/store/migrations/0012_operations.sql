-- Operations that are younger than the views.
insert into operation_names (field, name) values
    (16, 'trim'),
    (17, 'transitions'),
    (18, 'mixAudio'),
    (19, 'loudness'),
    (20, 'layer'),
    (21, 'replaceGreenScreen'),
    (22, 'overlayText'),
    (23, 'speed'),
    (24, 'reverse'),
    (25, 'freeze'),
    (26, 'thumbnail'),
    (27, 'gif'),
    (28, 'convert'),
    (30, 'stitch'),
    (31, 'denoise'),
    (32, 'stabilise');
